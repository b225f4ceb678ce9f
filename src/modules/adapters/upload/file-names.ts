import { problemOfForm } from '../../../kernel/safe-path.js';
import { NoAdapter } from '../adapter-folder.js';

const PICKLE = /\.(bin|pt|pth|pkl|pickle|ckpt|joblib|npy|npz|msgpack|h5)$/i;
const CODE = /\.(py|pyc|sh|so|dll|exe|js|mjs|bat|ps1)$/i;
/** What systems and tools leave behind: passed over. */
const JUNK = /(^|\/)(\.[^/]*|__MACOSX|Thumbs\.db|desktop\.ini)(\/|$)/i;
const WELCOME =
  /^(adapter_config\.json|adapter_model\.safetensors|(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|generation_config|preprocessor_config|processor_config|chat_template|training_report)\.json|tokenizer\.model|merges\.txt|chat_template\.jinja|[^/]+\.(md|txt))$/i;

const shown = (name: string): string => JSON.stringify(name.slice(0, 200));

function withoutTop(names: readonly string[]): (name: string) => string {
  const [first = ''] = names;
  const top = first.slice(0, first.indexOf('/') + 1);
  const isCommon = top !== '' && names.every((name) => name.startsWith(top));
  return (name) => (isCommon ? name.slice(top.length) : name);
}

function checkForm(name: string): void {
  const problem = name.startsWith('/') ? 'is absolute' : problemOfForm(name);
  if (problem !== undefined)
    throw new NoAdapter(
      `the file name ${shown(name)} ${problem}; send the files by their names in the adapter's folder`,
    );
}

function checkKind(name: string): void {
  if (PICKLE.test(name))
    throw new NoAdapter(
      `${shown(name)} is a pickle or a binary that can run code when it is read; save the adapter with safe_serialization=True and leave it out`,
    );
  if (CODE.test(name)) throw new NoAdapter(`${shown(name)} is code; an adapter is data only: leave it out`);
  if (name.includes('/'))
    throw new NoAdapter(`${shown(name)} lies in a folder of its own; send the files of the adapter's folder alone`);
  if (!WELCOME.test(name))
    throw new NoAdapter(
      `${shown(name)} is no part of an adapter; adapter_config.json, adapter_model.safetensors, the tokenizer's files, chat_template.jinja and README.md are`,
    );
}

/**
 * What the files of an upload are called in the adapter's folder; a folder around all of them is dropped. Pure.
 * @returns by the names as they came, without junk
 * @throws NoAdapter for a name that leads elsewhere, and for pickles, code, folders and anything else that is no part of it
 */
export function folderNames(names: readonly string[]): Map<string, string> {
  for (const name of names) checkForm(name);
  const wanted = names
    .map((name) => ({ name, path: name.replace(/^(\.\/)+/, '') }))
    .filter(({ path }) => !JUNK.test(path));
  const inFolder = withoutTop(wanted.map(({ path }) => path));
  const result = new Map<string, string>();
  for (const { name, path } of wanted) {
    const inside = inFolder(path);
    checkKind(inside);
    if ([...result.values()].includes(inside)) throw new NoAdapter(`${shown(inside)} came twice`);
    result.set(name, inside);
  }
  return result;
}
