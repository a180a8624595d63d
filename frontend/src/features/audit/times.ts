// Points in time between the address, which holds them in UTC, and the browser's own control, which shows them in the reader's zone.

const two = (value: number) => String(value).padStart(2, "0");

/** As the control writes it; empty for none. */
export function toLocal(time: string | undefined): string {
  if (!time) return "";
  const date = new Date(time);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What the control holds as a point in time; undefined for what is not one, and for a year that is still being typed. */
export function fromLocal(text: string): string | undefined {
  const date = new Date(text);
  return Number.isNaN(date.getTime()) || date.getFullYear() < 2000 ? undefined : date.toISOString();
}
