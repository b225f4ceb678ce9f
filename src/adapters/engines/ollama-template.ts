import { readFile } from 'node:fs/promises';
import { templateBeside } from './adapter-folder.js';

/** The shipped chat template in Ollama's template language. */
const SHIPPED = `{{- range .Messages }}
{{- if eq .Role "system" }}### System:
{{ .Content }}

{{ else if eq .Role "user" }}### User:
{{ .Content }}

{{ else }}### Assistant:
{{ .Content }}

{{ end }}
{{- end }}### Assistant:
`;

/**
 * What an adapter was trained with, where that is the shipped template; undefined: the base's own.
 * @param shipped file of the template
 */
export async function ollamaTemplate(adapter: string, shipped: string): Promise<string | undefined> {
  const own = await templateBeside(adapter);
  if (own === undefined) return undefined;
  return own.trim() === (await readFile(shipped, 'utf8')).trim() ? SHIPPED : undefined;
}
