import { Car } from "lucide-react";
import { Badge } from "@/ui/Badge";
import { dayText } from "./dates";
import { Fact, Frame } from "./Frame";
import type { Vehicle } from "./shapes";

export function VehicleCard({ vehicle }: { vehicle: Vehicle }) {
  return (
    <Frame label={`Vehicle ${vehicle.registration}`}>
      <div className="flex items-center gap-3 border-b p-4">
        <span className="grid size-10 shrink-0 place-items-center rounded-lg bg-primary-soft text-link">
          <Car aria-hidden="true" className="size-5" />
        </span>
        <div className="min-w-0 flex-1">
          <p className="font-semibold break-words">{vehicle.name}</p>
          <p className="font-mono text-sm tracking-wide text-muted">{vehicle.registration}</p>
        </div>
        {vehicle.isDue && <Badge tone="warning">Service due</Badge>}
      </div>
      <dl className="grid grid-cols-2 gap-3 p-4 sm:grid-cols-4">
        <Fact term="Year">{vehicle.year}</Fact>
        <Fact term="Owner">{vehicle.owner}</Fact>
        <Fact term="Last service">
          {vehicle.lastService && dayText(vehicle.lastService, "short")}
        </Fact>
        <Fact term="Next service">
          {vehicle.nextService && dayText(vehicle.nextService, "short")}
        </Fact>
      </dl>
    </Frame>
  );
}
