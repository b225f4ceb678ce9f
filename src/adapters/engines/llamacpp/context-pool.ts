import { Deferred } from '../../../kernel/deferred.js';
import { interruptible } from '../../../kernel/interruptible.js';
import type { LlamaContext, LlamaModel, LlamaSequence } from './llama-library.js';

/** Tokens of a prompt that are computed at a time; memory grows with this times the vocabulary. */
const BATCH = 128;

interface Slot {
  /** The adapter of its context; null: the base. */
  adapter: string | null;
  context: LlamaContext | undefined;
  sequence: LlamaSequence | undefined;
  isBusy: boolean;
  used: number;
}

/** So many answers at a time, each in a context of its own: a context has one adapter, or none. */
export class ContextPool {
  readonly #slots: Slot[];
  readonly #waiting: Deferred<Slot>[] = [];
  #uses = 0;

  constructor(
    private readonly model: Pick<LlamaModel, 'createContext'>,
    private readonly options: { rows: number; contextSize: number; threads: number },
  ) {
    this.#slots = Array.from({ length: options.rows }, () => ({
      adapter: null,
      context: undefined,
      sequence: undefined,
      isBusy: false,
      used: 0,
    }));
  }

  /**
   * Works with an empty sequence, first come, first served.
   * @param adapter a GGUF file @throws where the context cannot be made: the adapter does not fit the base
   */
  async with<T>(
    adapter: string | null,
    signal: AbortSignal,
    work: (sequence: LlamaSequence) => Promise<T>,
  ): Promise<T> {
    const slot = await this.#take(adapter, signal);
    try {
      return await work(await this.#sequenceOf(slot, adapter));
    } finally {
      await slot.sequence?.clearHistory().catch(() => this.#empty(slot));
      this.#giveBack(slot);
    }
  }

  async #take(adapter: string | null, signal: AbortSignal): Promise<Slot> {
    const free = this.#bestFor(adapter);
    if (free) return this.#mark(free);
    const waiter = new Deferred<Slot>();
    this.#waiting.push(waiter);
    try {
      return await interruptible(waiter.promise, signal);
    } catch (error) {
      const at = this.#waiting.indexOf(waiter);
      if (at >= 0) this.#waiting.splice(at, 1);
      // It was given to one who has just left.
      else void waiter.promise.then((slot) => this.#giveBack(slot));
      throw error;
    }
  }

  #mark(slot: Slot): Slot {
    slot.isBusy = true;
    slot.used = this.#uses += 1;
    return slot;
  }

  #giveBack(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) next.resolve(this.#mark(slot));
    else slot.isBusy = false;
  }

  /** One that has the adapter, else an empty one, else the one that was used the longest time ago. */
  #bestFor(adapter: string | null): Slot | undefined {
    const free = this.#slots.filter(({ isBusy }) => !isBusy).toSorted((one, other) => one.used - other.used);
    return (
      free.find((slot) => slot.context && slot.adapter === adapter) ?? free.find(({ context }) => !context) ?? free[0]
    );
  }

  async #sequenceOf(slot: Slot, adapter: string | null): Promise<LlamaSequence> {
    if (slot.sequence && slot.adapter === adapter) return slot.sequence;
    await this.#empty(slot);
    const { contextSize, threads } = this.options;
    const lora = adapter === null ? {} : { lora: { adapters: [{ filePath: adapter, scale: 1 }] } };
    slot.context = await this.model.createContext({ contextSize, sequences: 1, batchSize: BATCH, threads, ...lora });
    slot.adapter = adapter;
    slot.sequence = slot.context.getSequence();
    return slot.sequence;
  }

  async #empty(slot: Slot): Promise<void> {
    const { context } = slot;
    slot.context = slot.sequence = undefined;
    await context?.dispose();
  }
}
