// What a template is called.
import type { Template } from "../../api/types";
import type { Language } from "../../app/settings";

/** Name and description in the reader's language; own templates have one text for both. */
export function templateWords(template: Template, language: Language): { name: string; description: string } {
  return language === "zh-CN" ? { name: template.name_zh, description: template.description_zh } : { name: template.name, description: template.description };
}
