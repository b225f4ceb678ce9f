const BAR = 24;
const PLAIN_EVERY_PERCENT = 10;

/** One line that is written over on a terminal; elsewhere a new line now and then. */
export class ProgressLine {
  /** @param {NodeJS.WriteStream} out */
  constructor(out) {
    this.out = out;
    this.shown = '';
    this.percent = -Infinity;
  }

  /**
   * What is waited for.
   * @param {string} text
   */
  say(text) {
    if (text === this.shown) return;
    this.shown = text;
    if (this.out.isTTY) this.#over(text);
    else this.out.write(`${text}\n`);
  }

  /**
   * @param {{progress_percent: number, step: number, total_steps: number, seconds_left: number | null, metrics: Record<string, any> | null}} update
   */
  step(update) {
    const text = describe(update);
    if (this.out.isTTY) this.#over(`${bar(update.progress_percent)} ${text}`);
    else if (update.progress_percent - this.percent >= PLAIN_EVERY_PERCENT) {
      this.percent = update.progress_percent;
      this.out.write(`${text}\n`);
    }
  }

  /** Leaves what is written last and goes to the next line. */
  end() {
    if (this.out.isTTY && this.shown !== '') this.out.write('\n');
    this.shown = '';
  }

  /** @param {string} text */
  #over(text) {
    this.shown = text;
    this.out.write(`\r\u001b[K${text.slice(0, (this.out.columns || 80) - 1)}`);
  }
}

/** @param {number} percent */
export const bar = (percent) => {
  const full = Math.round((Math.min(Math.max(percent, 0), 100) / 100) * BAR);
  return `[${'#'.repeat(full)}${'-'.repeat(BAR - full)}]`;
};

/**
 * @param {{progress_percent: number, step: number, total_steps: number, seconds_left: number | null, metrics: Record<string, any> | null}} update
 */
export function describe({ progress_percent: percent, step, total_steps: steps, seconds_left: left, metrics }) {
  const loss = typeof metrics?.loss === 'number' ? `loss ${metrics.loss.toFixed(3)}` : '';
  const time = typeof left === 'number' ? `${duration(left)} left` : '';
  return [`${Math.floor(percent)} %`, `step ${step}/${steps}`, loss, time].filter((part) => part !== '').join('  ');
}

/** @param {number} seconds */
const duration = (seconds) =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.ceil(seconds % 60)} s`;
