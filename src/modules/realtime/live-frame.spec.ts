import { FakeFeed } from '../../../test/fixtures/live-feed.js';
import { EventFrame, LiveFrame } from './live-frame.js';

const feed = new FakeFeed();
const event = feed.write(feed.addJob(), 'progress', {
  progress_percent: 12.5,
  current_epoch: 0.4,
  current_step: 5,
  seconds_left: 30,
  metrics: { loss: 1.25, note: 'größer "als"' },
});

describe('EventFrame', () => {
  it('says what the guide shows, and where the event stands', () => {
    expect(new EventFrame(event).body).toEqual({
      type: 'job_update',
      job_id: event.job_id,
      status: 'running',
      paused: false,
      progress_percent: 12.5,
      current_epoch: 0.4,
      total_epochs: 3,
      metrics: { loss: 1.25, note: 'größer "als"' },
      timestamp: event.time,
      step: 5,
      total_steps: 40,
      seconds_left: 30,
      event: 'progress',
      number: event.number,
      stream: event.stream,
    });
  });

  it('is encoded once for all clients', () => {
    const frame = new EventFrame(event);
    expect(frame.text).toBe(frame.text);
    expect(frame.packet).toBe(frame.packet);
    expect(frame.bytes).toBeGreaterThan(frame.text.length);
  });
});

describe('LiveFrame', () => {
  it('is an event packet of Socket.IO with its type as the name', () => {
    const { body, packet } = new EventFrame(event);
    expect(packet[0]).toBe('2');
    expect(JSON.parse(packet.slice(1))).toEqual(['job_update', body]);
  });

  it('is JSON', () => {
    const body = { type: 'pong', timestamp: '2026-11-23T10:00:00.000Z' };
    expect(JSON.parse(new LiveFrame(body).text.toString())).toEqual(body);
  });
});
