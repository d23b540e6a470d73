import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { SchemaForm } from "./SchemaForm";
import { fieldsOf } from "./schema";

const FIELDS = fieldsOf({
  type: "object",
  properties: {
    name: { type: "string", title: "Your name", description: "As on the bill." },
    floor: { type: "integer", title: "Floor" },
    car: { type: "string", title: "Car", enum: ["s", "l"], enumNames: ["Small", "Large"] },
    extras: { type: "array", title: "Extras", items: { type: "string", enum: ["wash", "wax"] } },
    keys: { type: "boolean", title: "Keys are there" },
  },
  required: ["name"],
})!;

test("a form is filled in and sent whole", async () => {
  const onSubmit = vi.fn();
  const user = userEvent.setup();
  render(<SchemaForm fields={FIELDS} submitLabel="Submit" isBusy={false} onSubmit={onSubmit} />);
  await user.type(screen.getByLabelText("Your name"), "Rahul");
  await user.type(screen.getByLabelText(/Floor/), "3");
  await user.selectOptions(screen.getByLabelText(/Car/), "Large");
  await user.click(screen.getByLabelText("wax"));
  await user.click(screen.getByLabelText("Keys are there"));
  await user.click(screen.getByRole("button", { name: "Submit" }));
  expect(onSubmit).toHaveBeenCalledExactlyOnceWith({
    name: "Rahul",
    floor: 3,
    car: "l",
    extras: ["wax"],
    keys: true,
  });
});

test("a wrong field says so, is in focus, and nothing is sent", async () => {
  const onSubmit = vi.fn();
  const user = userEvent.setup();
  render(<SchemaForm fields={FIELDS} submitLabel="Submit" isBusy={false} onSubmit={onSubmit} />);
  await user.click(screen.getByRole("button", { name: "Submit" }));
  const field = screen.getByLabelText("Your name");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(document.activeElement).toBe(field);
  expect(screen.getByText("This is needed.")).toBeDefined();
  expect(field.getAttribute("aria-describedby")).toContain("error");
  expect(onSubmit).not.toHaveBeenCalled();
});
