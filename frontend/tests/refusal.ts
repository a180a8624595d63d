// What the API says when it refuses.
import { ApiError } from "../src/api/client";
import type { Problem } from "../src/api/types";

export function refusal(status: number, code: Problem["code"], errors: Problem["errors"] = []) {
  return new ApiError(status, { type: "", title: "No", status, detail: errors.map((error) => `${error.field}: ${error.message}`).join("; "), code, params: {}, retryable: false, remedy: "", request_id: "r", errors, field: errors[0]?.field });
}
