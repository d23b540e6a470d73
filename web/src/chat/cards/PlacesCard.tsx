import { Clock, MapPin, Phone, Star } from "lucide-react";
import { useState } from "react";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Frame } from "./Frame";
import type { Place } from "./shapes";

const FIRST = 5;

export function PlacesCard(props: {
  places: Place[];
  total: number;
  onSuggest: (text: string) => void;
}) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? props.places : props.places.slice(0, FIRST);
  const hidden = props.places.length - shown.length;
  return (
    <Frame label="Places found">
      <p className="border-b px-4 py-2.5 text-sm font-medium">
        {props.total === 1 ? "1 place found" : `${props.total} places found`}
      </p>
      <ul className="divide-y">
        {shown.map((place) => (
          <PlaceRow key={`${place.id} ${place.name}`} place={place} onSuggest={props.onSuggest} />
        ))}
      </ul>
      {hidden > 0 && (
        <div className="border-t p-2">
          <Button variant="ghost" size="small" onClick={() => setWhole(true)}>
            Show {hidden} more
          </Button>
        </div>
      )}
    </Frame>
  );
}

const ICON = "mt-0.5 size-3.5 shrink-0";

function PlaceRow({ place, onSuggest }: { place: Place; onSuggest: (text: string) => void }) {
  const named = place.id ? `${place.name} (${place.id})` : place.name;
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 p-4">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {place.name}
          {place.distanceKm !== null && <Badge tone="primary">{place.distanceKm} km</Badge>}
          {place.rating !== null && (
            <span className="inline-flex items-center gap-1 text-xs font-normal text-muted">
              <Star aria-hidden="true" className="size-3.5" />
              {place.rating} of 5
            </span>
          )}
        </p>
        {place.address && (
          <p className="mt-1 flex gap-1.5 text-sm text-muted">
            <MapPin aria-hidden="true" className={ICON} />
            {place.address}
          </p>
        )}
        <p className="mt-0.5 flex flex-wrap gap-x-4 text-sm text-muted">
          {place.hours && (
            <span className="flex gap-1.5">
              <Clock aria-hidden="true" className={ICON} />
              {place.hours}
            </span>
          )}
          {place.phone && (
            <span className="flex gap-1.5">
              <Phone aria-hidden="true" className={ICON} />
              {place.phone}
            </span>
          )}
        </p>
        {place.offers.length > 0 && (
          <p className="mt-0.5 text-sm text-muted">{place.offers.join(", ")}</p>
        )}
      </div>
      <Button
        size="small"
        aria-label={`Choose ${place.name}`}
        onClick={() => onSuggest(`I choose ${named}.`)}
      >
        Choose
      </Button>
    </li>
  );
}
