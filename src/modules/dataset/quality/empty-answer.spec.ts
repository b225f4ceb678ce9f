import { checkAnswer } from './empty-answer.js';

const QUESTION = 'Wann darf ein rechtswidriger Verwaltungsakt zurückgenommen werden?';

describe('an answer', () => {
  it.each([
    '',
    '  \n ',
    '---',
    'Siehe oben',
    's. o.',
    'siehe Anlage',
    'k. A.',
    'k.A.',
    'N/A',
    'n.a.',
    'keine Angabe',
    'Keine Antwort vorhanden.',
    'entfällt',
    'TODO',
    'Lorem ipsum dolor sit amet',
    'Ich weiß es nicht.',
    'Das weiß ich leider nicht.',
    'Tut mir leid, ich kann diese Frage nicht beantworten.',
    'Dazu kann ich keine Auskunft geben.',
    "I don't know",
    'I cannot answer that question.',
    'null',
    QUESTION,
    'wann darf ein rechtswidriger verwaltungsakt zurückgenommen werden',
    'Ja.',
  ])('without content is: "%s"', (answer) => {
    expect(checkAnswer(QUESTION, answer)).toMatchObject({ verdict: 'reject', score: 0 });
  });

  it('that speaks of the model is doubtful', () => {
    expect(checkAnswer(QUESTION, 'Als KI-Sprachmodell kann ich keine Rechtsberatung geben.').verdict).toBe('warn');
  });

  it.each([
    'Nach § 48 VwVfG kann er auch nach Eintritt der Unanfechtbarkeit zurückgenommen werden.',
    'Ein rechtswidriger Verwaltungsakt darf jederzeit zurückgenommen werden, wenn er nicht begünstigt.',
    'Siehe § 48 VwVfG: die Rücknahme steht im Ermessen der Behörde.',
    'Ich weiß nicht, ob die Frist gilt, wenn die Behörde getäuscht wurde; nach § 48 Abs. 4 VwVfG gilt sie nicht.',
    'Nein, die Frist beträgt ein Jahr.',
    'Ein Jahr.',
  ])('with content is: "%s"', (answer) => {
    expect(checkAnswer(QUESTION, answer)).toMatchObject({ verdict: 'ok', score: 1 });
  });

  it('may be chosen from the words of the question', () => {
    expect(
      checkAnswer('Gilt hier das VwVfG des Bundes oder das des Landes Bayern?', 'das des Landes Bayern').verdict,
    ).toBe('ok');
  });

  it('may have no question', () => {
    expect(checkAnswer(null, 'Der Bescheid wird aufgehoben.').verdict).toBe('ok');
  });
});
