// What the server says of a refused request, by the form's field.
import { useServerErrors } from "../create/usePlan";

/** The field of the form that a field of the request comes from: `namespaces[1]` from `namespaces`. */
export const fieldOf = (path: string) => path.replace(/\[\d+\].*$/, "");

export function useRefusals(error: unknown): Record<string, string> {
  const refusals: Record<string, string> = {};
  for (const [path, text] of Object.entries(useServerErrors(undefined, error))) refusals[fieldOf(path)] ??= text;
  return refusals;
}
