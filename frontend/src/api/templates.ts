// Templates: the operator's public ones, and those of the project's own.
import { useQuery } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { TemplateRequest } from "./types";

export function useTemplates() {
  return useQuery({ queryKey: ["templates"], queryFn: () => unwrap(client.GET("/api/v1/templates")), staleTime: 60_000 });
}

export function createTemplate(body: TemplateRequest) {
  return unwrap(client.POST("/api/v1/templates", { body }));
}

export function updateTemplate(id: string, body: TemplateRequest) {
  return unwrap(client.PUT("/api/v1/templates/{id}", { params: { path: { id } }, body }));
}

export function deleteTemplate(id: string) {
  return unwrap(client.DELETE("/api/v1/templates/{id}", { params: { path: { id } } }));
}
