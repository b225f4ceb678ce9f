import {
  adapterParameters,
  baseBytes,
  choicesOf,
  gradientBytes,
  isMasked,
  layerBytes,
  logitsBytes,
  optimizerBytes,
  overheadBytes,
  rowsAtOnce,
  targetsOf,
  workingBytes,
  type Choices,
  type Run,
} from './memory-formulas.js';
import type { Linear, ModelFacts } from './model-shape.js';

/** The memory a training may use: of one GPU, or of the machine. */
export interface MemoryPlace {
  device: 'gpu' | 'cpu';
  bf16: boolean;
  /** null: not known. */
  available_bytes: number | null;
}

/** Peak of one process, by what it is for. */
export interface MemoryBytes {
  base_model: number;
  adapter: number;
  gradients: number;
  optimizer: number;
  activations: number;
  logits: number;
  overhead: number;
  total: number;
}

export interface MemoryEstimate {
  parameters: number;
  trainable_parameters: number;
  bytes: MemoryBytes;
  fits: {
    device: 'gpu' | 'cpu';
    available_bytes: number | null;
    verdict: 'fits' | 'tight' | 'does_not_fit' | 'unknown';
  };
  notes: string[];
}

/** No estimate, and why. */
export interface NoEstimate {
  reason: string;
}

/** An estimate is no promise: what comes nearer to the limit than this is called tight. */
const COMFORTABLE_SHARE = 0.85;

/** What is kept for the backward pass, and what comes on top of it while that runs. */
function activations(run: Run, facts: ModelFacts, layer: number, choices: Choices) {
  const tokens = rowsAtOnce(run) * run.data.max_length;
  const working = workingBytes(facts, choices) * tokens + largestMatrix(facts) * (run.quantization === null ? 0 : 2);
  const square = rowsAtOnce(run) * run.data.max_length ** 2;
  const mask = isMasked(run, choices) ? square * (1 + choices.valueBytes) : 0;
  // Autocast keeps its 16 bit copy of each frozen 32 bit weight until the backward pass has used it.
  const casts = choices.autocast && choices.weightBytes === 4 && run.quantization === null ? 2 * facts.parameters : 0;
  if (!choices.checkpointing) return { kept: layer * facts.layers + mask + casts, working };
  // Checkpointing keeps the input of each layer and computes the rest again (Chen et al. 2016, arXiv 1604.06174).
  const inputs = facts.layers * facts.hidden * choices.valueBytes * tokens;
  return { kept: inputs + mask, working: layer + working + casts / facts.layers };
}

/** Of the memory that the base leaves, what the layers may keep: the trainer measures it, with the same share. */
const ROOMY_SHARE = 0.5;

/** @see trainer/src/clara_trainer/checkpointing.py: `auto` computes the layers again only where there is no room. */
function settled(run: Run, facts: ModelFacts, targets: Linear[], place: MemoryPlace): Choices {
  const choices = choicesOf(run, facts.parameters, place.device, place.bf16);
  const whole = { ...choices, checkpointing: false };
  if (run.training.gradient_checkpointing !== 'auto' || !choices.checkpointing || place.available_bytes === null)
    return choices;
  const layer = layerBytes(run, facts, targets, whole) * rowsAtOnce(run) * run.data.max_length;
  const room = place.available_bytes - baseBytes(run, facts, whole);
  return layer * facts.layers <= ROOMY_SHARE * room ? whole : choices;
}

const largestMatrix = ({ linears }: ModelFacts): number =>
  linears.reduce((most, { inputs, outputs }) => Math.max(most, inputs * outputs), 0);

const FLOAT = 4;
/** The reference of a preference training that begins with an adapter. */
const hasFrozenCopy = (run: Run): boolean => run.method === 'dpo' && run.adapter.start_from !== null;

function bytesOf(run: Run, facts: ModelFacts, targets: Linear[], choices: Choices): MemoryBytes {
  const trainable = adapterParameters(run, targets);
  const tokens = rowsAtOnce(run) * run.data.max_length;
  const layer = layerBytes(run, facts, targets, choices) * tokens;
  const { kept, working } = activations(run, facts, layer, choices);
  const logits = logitsBytes(tokens, facts, choices);
  const parts = {
    base_model: baseBytes(run, facts, choices),
    adapter: trainable * FLOAT * (hasFrozenCopy(run) ? 2 : 1),
    gradients: gradientBytes(run, trainable),
    optimizer: optimizerBytes(run, trainable),
    // The head is done with before a layer is worked on: the greater of the two counts.
    activations: kept + Math.max(0, working - logits),
    logits,
    overhead: overheadBytes(run, facts, layer * facts.layers, choices),
  };
  const rounded = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, Math.ceil(value)]));
  const total = Object.values(rounded).reduce((all, value) => all + value, 0);
  return { ...(rounded as Omit<MemoryBytes, 'total'>), total };
}

function verdictOf(needed: number, available: number | null): MemoryEstimate['fits']['verdict'] {
  if (available === null) return 'unknown';
  if (needed > available) return 'does_not_fit';
  return needed > available * COMFORTABLE_SHARE ? 'tight' : 'fits';
}

function notesOf(run: Run, facts: ModelFacts, targets: Linear[], choices: Choices): string[] {
  const rows = `for batches of ${run.training.batch_size} ${run.method === 'dpo' ? 'pairs' : 'rows'} of ${run.data.max_length} tokens; shorter rows need less`;
  const { processes } = run.hardware;
  return [
    rows,
    ...(facts.source === 'computed' ? ['computed from config.json, as there are no weights to count'] : []),
    ...(targets.length === 0 ? ['none of lora.target_modules is in this model; all-linear fits every model'] : []),
    ...(choices.checkpointing ? ['with gradient checkpointing'] : []),
    ...(processes > 1 ? [`for each of the ${processes} processes`] : []),
  ];
}

/**
 * The peak memory of a training, for the longest rows that its configuration allows. Pure: the formulas are in
 * memory-formulas.ts, each with its source.
 */
export function estimateMemory(run: Run, facts: ModelFacts, place: MemoryPlace): MemoryEstimate {
  const targets = targetsOf(run, facts);
  const choices = settled(run, facts, targets, place);
  const bytes = bytesOf(run, facts, targets, choices);
  // Each GPU holds one process; the memory of the machine holds all of them.
  const needed = bytes.total * (place.device === 'cpu' ? run.hardware.processes : 1);
  return {
    parameters: facts.parameters,
    trainable_parameters: adapterParameters(run, targets),
    bytes,
    fits: {
      device: place.device,
      available_bytes: place.available_bytes,
      verdict: verdictOf(needed, place.available_bytes),
    },
    notes: notesOf(run, facts, targets, choices),
  };
}
