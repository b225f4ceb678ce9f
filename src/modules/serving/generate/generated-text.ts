type Fields = Record<string, unknown>;

const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/** What a completion, or a chunk of one, says: `choices[0].text`. */
export function textOf(completion: unknown): string {
  const { choices } = fieldsOf(completion);
  const text = fieldsOf(Array.isArray(choices) ? choices[0] : undefined)['text'];
  return typeof text === 'string' ? text : '';
}

/** The JSON of an event; undefined of the end mark and of comments. */
export function dataOf(event: Buffer): Fields | undefined {
  const text = event.toString();
  const at = text.indexOf('{');
  if (!text.startsWith('data:') || at < 0) return undefined;
  try {
    return fieldsOf(JSON.parse(text.slice(at)));
  } catch {
    return undefined;
  }
}

/** The message of an error event; undefined of any other. */
export function errorOf(data: Fields): string | undefined {
  if (data['error'] === undefined) return undefined;
  const { message } = fieldsOf(data['error']);
  return typeof message === 'string' ? message : 'the engine broke off';
}
