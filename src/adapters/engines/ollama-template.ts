import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

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
  const own = await readFile(join(adapter, 'chat_template.jinja'), 'utf8').catch(() => undefined);
  if (own === undefined) return undefined;
  return own.trim() === (await readFile(shipped, 'utf8')).trim() ? SHIPPED : undefined;
}
