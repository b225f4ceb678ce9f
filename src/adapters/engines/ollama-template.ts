import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { templateBeside } from './adapter-folder.js';

/** Texts of the tokens that stand before a conversation and behind each answer in it. */
interface Marks {
  begin: string;
  end: string;
}

/** The shipped chat template in Ollama's template language. */
const shippedIn = ({ begin, end }: Marks): string => `${begin}{{- range .Messages }}
{{- if eq .Role "system" }}### System:
{{ .Content }}

{{ else if eq .Role "user" }}### User:
{{ .Content }}

{{ else }}### Assistant:
{{ .Content }}${end}

{{ end }}
{{- end }}### Assistant:
`;

/**
 * What an adapter was trained with, where that is the shipped template; undefined: the base's own.
 * @param shipped file of the template
 * @param addsBegin whether Ollama itself puts the mark of the beginning before every prompt
 */
export async function ollamaTemplate(
  adapter: string,
  { shipped, addsBegin }: { shipped: string; addsBegin: boolean },
): Promise<string | undefined> {
  const own = await templateBeside(adapter);
  if (own === undefined || own.trim() !== (await readFile(shipped, 'utf8')).trim()) return undefined;
  const { begin, end } = await marksOf(adapter);
  return shippedIn({ begin: addsBegin ? '' : begin, end });
}

async function marksOf(adapter: string): Promise<Marks> {
  const text = await readFile(join(adapter, 'tokenizer_config.json'), 'utf8').catch(() => '{}');
  const { bos_token: begin, eos_token: end } = JSON.parse(text) as Record<string, unknown>;
  return { begin: plain(begin), end: plain(end) };
}

/** A token as a tokenizer's settings name it, where it means nothing in a template. */
function plain(token: unknown): string {
  const text = typeof token === 'object' && token !== null && 'content' in token ? token.content : token;
  return typeof text === 'string' && !/[{}]/.test(text) ? text : '';
}
