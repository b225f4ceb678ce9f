type Fields = Record<string, unknown>;

/** The words of a content: a text, or the texts among its parts. */
function wordsOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map(textOfPart).join('\n');
}

function textOfPart(part: unknown): string {
  const text = typeof part === 'object' && part !== null ? (part as Fields)['text'] : undefined;
  return typeof text === 'string' ? text : '';
}

/** What is asked: the last message of a user, or the prompt. Empty where there is none. */
export function promptText(body: Fields): string {
  const { messages, prompt } = body;
  if (Array.isArray(messages)) {
    const asked = (messages as (Fields | null)[]).findLast((message) => message?.['role'] === 'user');
    return wordsOf(asked?.['content']);
  }
  if (typeof prompt === 'string') return prompt;
  return Array.isArray(prompt) ? prompt.filter((item) => typeof item === 'string').join('\n') : '';
}
