export interface Finding {
  severity: 'error' | 'warning';
  kind:
    | 'changed'
    | 'removed'
    | 'cut_off'
    | 'unlinked'
    | 'head'
    | 'signature'
    | 'guards'
    | 'head_file_missing'
    | 'head_file_line'
    | 'other_key'
    | 'role_owns_trail';
  message: string;
  seq: number | null;
  row_id: number | null;
}

export interface VerifyResult {
  /** No finding is an error. */
  ok: boolean;
  links: number;
  findings: Finding[];
  /** Findings that are more than are listed. */
  more: number;
  ms: number;
}

const MOST = 100;

/** What a verification found; bounded, however much is wrong. */
export class Findings {
  readonly #list: Finding[] = [];
  #errors = 0;
  #all = 0;

  error(kind: Finding['kind'], message: string, seq: number | null = null, row: number | null = null): void {
    this.#errors += 1;
    this.#add({ severity: 'error', kind, message, seq, row_id: row });
  }

  warn(kind: Finding['kind'], message: string): void {
    this.#add({ severity: 'warning', kind, message, seq: null, row_id: null });
  }

  result(links: number, ms: number): VerifyResult {
    return { ok: this.#errors === 0, links, findings: this.#list, more: this.#all - this.#list.length, ms };
  }

  #add(finding: Finding): void {
    this.#all += 1;
    if (this.#list.length < MOST) this.#list.push(finding);
  }
}
