import { eventsWithModel, withModel } from './model-rewriting.js';

describe('another model in a reply', () => {
  it.each([
    ['{"id":"1","model":"clara_7","choices":[]}', '{"id":"1","model":"ft:x","choices":[]}'],
    ['{"choices":[{"model":"a"}],"model":"a"}', '{"choices":[{"model":"a"}],"model":"ft:x"}'],
    ['{"choices":[]}', '{"choices":[]}'],
    ['not json', 'not json'],
  ])('%s', (before, after) => expect(withModel(Buffer.from(before), 'ft:x').toString()).toBe(after));

  it('stands in each event, and in nothing that is said', () => {
    const events =
      'data: {"model":"a","t":"data: {\\"model\\":\\"a\\"}"}\n\n: ping\n\ndata:{"model":"a"}\r\n\r\ndata: [DONE]\n\n';
    expect(eventsWithModel(Buffer.from(events), 'ft:x').toString()).toBe(
      'data: {"model":"ft:x","t":"data: {\\"model\\":\\"a\\"}"}\n\n: ping\n\ndata:{"model":"ft:x"}\r\n\r\ndata: [DONE]\n\n',
    );
  });
});
