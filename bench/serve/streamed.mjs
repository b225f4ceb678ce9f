const LONGEST_MS = 120_000;
const PROMPT = 'Wann endet die Frist für den Widerspruch?';

/**
 * One streamed chat answer of the full length.
 * @param {string} url @param {{model: string, tokens: number}} wanted
 * @returns {Promise<{began: number, times: number[], models: string[], failed: string | undefined}>} times of its tokens
 */
export async function streamAnswer(url, { model, tokens }) {
  const answer = { began: performance.now(), times: [], models: [], failed: undefined };
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model,
        messages: [{ role: 'user', content: PROMPT }],
        stream: true,
        max_tokens: tokens,
        temperature: 0,
        ignore_eos: true,
      }),
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    if (response.ok) await readEvents(response.body, answer);
    else answer.failed = `${response.status}: ${(await response.text()).slice(0, 300)}`;
  } catch (error) {
    answer.failed = error.message;
  }
  return answer;
}

async function readEvents(body, answer) {
  const decoder = new TextDecoder();
  let rest = '';
  let isDone = false;
  for await (const part of body) {
    const lines = (rest + decoder.decode(part, { stream: true })).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line === 'data: [DONE]') isDone = true;
      else if (line.startsWith('data: ')) take(JSON.parse(line.slice(6)), answer);
    }
  }
  if (!isDone) answer.failed ??= 'the stream ended before [DONE]';
}

function take({ model, choices, error }, answer) {
  if (error) answer.failed = error.message;
  if (model && !answer.models.includes(model)) answer.models.push(model);
  if (choices?.[0]?.delta?.content) answer.times.push(performance.now());
}
