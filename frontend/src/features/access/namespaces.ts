// Namespaces that a token or a kubeconfig is narrowed to, as they are typed: several by commas.
import { splitList } from "../create/draft";

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export function namespaceList(text: string): string[] {
  return [...new Set(splitList(text))];
}

/** Key of the text that says what is wrong with them. */
export function namespacesError(text: string): string | undefined {
  return namespaceList(text).some((name) => !LABEL.test(name)) ? "token.invalid.namespaces" : undefined;
}
