import { ConfirmationCard } from "./ConfirmationCard";
import { PlacesCard } from "./PlacesCard";
import { SlotsCard } from "./SlotsCard";
import type { Shape } from "./shapes";
import { VehicleCard } from "./VehicleCard";

/** The card of a known shape. `onSuggest` puts a message into the composer. */
export function ShapeCard({
  shape,
  onSuggest,
}: {
  shape: Shape;
  onSuggest: (text: string) => void;
}) {
  switch (shape.kind) {
    case "vehicle":
      return <VehicleCard vehicle={shape.vehicle} />;
    case "places":
      return <PlacesCard places={shape.places} total={shape.total} onSuggest={onSuggest} />;
    case "slots":
      return <SlotsCard shape={shape} onSuggest={onSuggest} />;
    case "confirmation":
      return <ConfirmationCard confirmation={shape.confirmation} />;
  }
}
