// Who is signed in, and in which project.
import { useQuery, type QueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { changeSession, client, setCsrfToken, unwrap } from "./client";
import type { CredentialSignIn, FederationProvider, Session } from "./types";

export const sessionKey = ["session"] as const;

export async function loadSession(): Promise<Session> {
  const session = await unwrap(client.GET("/api/v1/session"));
  setCsrfToken(session.csrf_token);
  return session;
}

export interface Credentials {
  username: string;
  password: string;
  /** What the authenticator shows, once it was asked for. */
  passcode?: string;
  domain?: string;
}

export async function signIn(credentials: Credentials): Promise<Session> {
  const session = await unwrap(client.POST("/api/v1/session", { body: credentials }));
  setCsrfToken(session.csrf_token);
  return session;
}

export async function signInByCredential(credential: CredentialSignIn): Promise<Session> {
  const session = await unwrap(client.POST("/api/v1/session/application-credential", { body: credential }));
  setCsrfToken(session.csrf_token);
  return session;
}

/** Begins to sign in with an identity provider: where the browser has to go. */
export async function beginFederation(provider: string, next?: string): Promise<string> {
  const { url } = await unwrap(client.POST("/api/v1/session/federation", { body: { provider, next } }));
  return url;
}

/** Identity providers; none where they cannot be asked for: the password is a way still. */
export function useFederation(): FederationProvider[] {
  const { data } = useQuery({ queryKey: ["federation"], queryFn: () => unwrap(client.GET("/api/v1/session/federation")), staleTime: Infinity, retry: 1 });
  return data?.items ?? [];
}

export async function switchProject(project: string): Promise<Session> {
  return changeSession(async () => {
    const session = await unwrap(client.PUT("/api/v1/session", { body: { project } }));
    setCsrfToken(session.csrf_token);
    return session;
  });
}

export async function signOut(): Promise<void> {
  await unwrap(client.DELETE("/api/v1/session"));
  setCsrfToken("");
}

/** The session; the router has loaded it before any page is shown. */
export function useSession(): Session {
  const { data } = useQuery({ queryKey: sessionKey, queryFn: loadSession, staleTime: 60_000, retry: false });
  // A page on its way out is drawn once more after its session has been forgotten.
  const last = useRef(data);
  if (data) last.current = data;
  if (!last.current) throw new Error("a page was shown before its session was loaded");
  return last.current;
}

/** Forgets everything that belongs to the old session or project. */
export function forgetData(queryClient: QueryClient): void {
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKey[0] && query.queryKey[0] !== "about" });
}

export function useAbout() {
  return useQuery({ queryKey: ["about"], queryFn: () => unwrap(client.GET("/api/v1/about")), staleTime: Infinity, retry: 1 });
}
