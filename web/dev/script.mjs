// The answers of a scripted booking: one step for each message, by what stands in it.

import {
  BOOKING_ARGUMENTS,
  booking,
  call,
  customer,
  dealers,
  done,
  slots,
  vehicle,
} from "./fixtures.mjs";

const running = (finished) => {
  const { structured, content, latency_ms, ...rest } = finished;
  return { ...rest, state: "running" };
};

/** What is answered to `text`: calls that finish, calls that wait, and words. */
export function stepsFor(text) {
  const wanted = text.toLowerCase();
  if (/\bsl-|choose \d\d:/.test(wanted)) {
    const waits = call("create_service_booking", "Book a service slot", BOOKING_ARGUMENTS, {
      state: "needs_approval",
      risk: "write",
      rule: "writes-need-approval",
      expires_at: Date.now() / 1000 + 900,
    });
    return [{ say: "I can book this for you. " }, { wait: waits }];
  }
  if (/pun0\d|choose/.test(wanted)) {
    return calls(
      done(
        "get_available_slots",
        "List a dealer's free slots on a day",
        { dealer_id: "PUN01" },
        slots,
        49,
      ),
      "These times are free. Which one suits you?",
    );
  }
  if (/dealer/.test(wanted)) {
    return calls(
      done(
        "get_nearby_dealers",
        "List dealers near a city or a point",
        { city: "Pune", service_type: "regular" },
        dealers,
        57,
      ),
      "Four dealers offer a regular service. Which one do you want?",
    );
  }
  if (/mh12/.test(wanted)) {
    return calls(
      done(
        "resolve_vehicle",
        "Find a vehicle by registration number",
        { registration: "MH12AB1234" },
        vehicle,
        41,
      ),
      "Its next service was due on **15 November**. In which city shall I look for a dealer?",
    );
  }
  if (/\d{10}/.test(wanted)) {
    return calls(
      done(
        "resolve_customer",
        "Find a customer by mobile number",
        { mobile: "9876543210" },
        customer,
        38,
      ),
      "Hello **Rahul**. Which car is it about?",
    );
  }
  return [
    {
      say: "I can book a service, look a booking up, and find a dealer. What is your mobile number?",
    },
  ];
}

function calls(finished, say) {
  return [{ call: running(finished) }, { call: finished }, { say }];
}

/** What follows once the person has decided about `waiting`. */
export function afterDecision(waiting, decision, changed) {
  if (decision === "deny")
    return [
      { call: { ...waiting, state: "denied", decided: "deny" } },
      { say: "I leave it, then." },
    ];
  const finished = {
    ...done(waiting.tool, waiting.title, changed ?? waiting.arguments, booking, 121),
    id: waiting.id,
    risk: "write",
    decided: decision,
  };
  return [
    { call: { ...waiting, state: "running", decided: decision } },
    { call: finished },
    { say: "It is booked. Your reference is **BK48210937**." },
  ];
}
