// Pressing a button that may still be busy with the answer before.
import { fireEvent, waitFor, within } from "@testing-library/react";
import { expect } from "vitest";

/** The picture of being busy is part of a button's name, and may stay for longer where nothing moves: it is not what is waited for. */
export async function press(inside: HTMLElement, name: string): Promise<void> {
  const button = within(inside).getByRole("button", { name: new RegExp(`${name}$`) });
  await waitFor(() => expect(button.classList).not.toContain("ant-btn-loading"));
  fireEvent.click(button);
}
