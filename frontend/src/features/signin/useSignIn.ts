// What every way of signing in has in common: one try at a time, what went wrong, and where it goes on.
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useState } from "react";
import { isApiError } from "../../api/client";
import { forgetData, sessionKey } from "../../api/session";
import type { Session } from "../../api/types";
import { faultOfProblem, type FaultWords } from "../../components/Problem";

export function useSignIn(next?: string) {
  const router = useRouter();
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<FaultWords | null>(null);

  /** Tries it; `refused` is told the code of what stood against it, and whether it says that itself is its answer. */
  const attempt = async (signIn: () => Promise<Session>, refused: (code: string) => boolean) => {
    setFault(null);
    setBusy(true);
    try {
      const session = await signIn();
      forgetData(queryClient);
      queryClient.setQueryData(sessionKey, session);
      // Only an address of our own: the parameter comes from the address bar.
      if (next?.startsWith("/") && !next.startsWith("//")) router.history.push(next);
      else await navigate({ to: "/" });
    } catch (error) {
      const words = isApiError(error) ? faultOfProblem(error.problem) : { code: "unknown" };
      if (!refused(words.code)) setFault(words);
    } finally {
      setBusy(false);
    }
  };
  return { busy, fault, attempt, forget: () => setFault(null) };
}
