// Whether a token or a kubeconfig is good for anything.
import type { ApiToken, Validity } from "../../api/types";

export function validity(given: Pick<ApiToken, "revoked_at" | "expires_at">, now = Date.now()): Validity {
  if (given.revoked_at) return "revoked";
  return new Date(given.expires_at).getTime() <= now ? "expired" : "valid";
}
