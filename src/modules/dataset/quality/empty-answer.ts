import { share, type Finding } from './finding.js';
import { folded } from './normalised.js';

/** Folded answers that say nothing, as a whole. */
const NOTHING =
  /^(?:(?:s|siehe)(?: (?:oben|unten|o|u|anlage|anhang|link|dort|frage))?|vgl (?:oben|unten)|wie oben|dito|ditto|k a|ka|keine? (?:angaben?|ahnung|antwort|daten|information(?:en)?|inhalt)(?: (?:vorhanden|verfuegbar|moeglich))?|n a|na|nn|n n|none|null|nil|nan|undefined|unbekannt|unknown|entfaellt|nicht (?:verfuegbar|vorhanden|bekannt|zutreffend|angegeben)|not (?:available|applicable|found)|no answer|tbd|todo|fixme|xxx+|test|platzhalter|placeholder|lorem ipsum.*|see (?:above|below)|same as above|ja|nein|yes|no|ok|okay|danke|thanks)$/;
/** Whole sentences without knowledge, with nothing after them. */
const UNKNOWING =
  /^(?:(?:tut mir leid|entschuldigung|leider|sorry|i m sorry|es tut mir leid)(?: aber)? ?)?(?:(?:das|dies) ?)?(?:(?:ich )?(?:weiss|wissen|weisz) (?:ich )?(?:es|das|ich)? ?(?:leider )?nicht|(?:ich )?(?:kann|koennen) (?:ich )?(?:dazu|das|diese frage|ihre frage|die frage|hierzu)? ?(?:leider )?(?:nicht|nichts|keine auskunft|keine angaben?) ?(?:beantworten|sagen|geben|machen)?|(?:dazu|hierzu|darueber) (?:liegen|habe ich|kann ich) .{0,40}(?:keine|nichts) ?.{0,40}|i (?:do not|don t) know(?: that| this)?|i (?:can t|cannot|can not) (?:answer|help)(?: (?:that|this|you|with that|with this))?(?: question)?|no idea)$/;
/** A model that speaks of itself instead of answering. */
const REFUSAL =
  /^(?:als (?:ein )?(?:ki|kuenstliche intelligenz|sprachmodell|ki sprachmodell)|as an? (?:ai|large language model|artificial intelligence))(?: |$)/;
const ECHO = 0.9;

/**
 * Whether the answer of a row says anything.
 * @param question null where the row has none
 */
export function checkAnswer(question: string | null, answer: string): Finding {
  const said = folded(answer);
  if (said === '') return of(0, 'reject', 'The answer has no words');
  if (NOTHING.test(said)) return of(0, 'reject', 'The answer is only a remark without content');
  if (UNKNOWING.test(said)) return of(0, 'reject', 'The answer only says that it does not know');
  if (REFUSAL.test(said)) return of(0.3, 'warn', 'The answer speaks of the model instead of the question');
  const echoed = question === null ? 0 : echoOf(folded(question), said);
  if (echoed >= ECHO) return of(0, 'reject', 'The answer repeats the question', { echoed: share(echoed) });
  return of(1, 'ok', 'The answer has content');
}

const of = (score: number, verdict: Finding['verdict'], reason: string, detail?: Finding['detail']): Finding => ({
  check: 'empty_answer',
  score,
  verdict,
  reason,
  ...(detail ? { detail } : {}),
});

/** The share of the answer's words, each as often as it stands there, that are taken from the question. */
function echoOf(question: string, answer: string): number {
  const left = new Map<string, number>();
  for (const word of question.split(' ')) left.set(word, (left.get(word) ?? 0) + 1);
  const words = answer.split(' ');
  let taken = 0;
  for (const word of words) {
    const times = left.get(word) ?? 0;
    if (times > 0) taken += 1;
    left.set(word, times - 1);
  }
  // An answer of a few words of the question chooses among them: that is an answer.
  return words.length < 0.6 * question.split(' ').length ? 0 : taken / words.length;
}
