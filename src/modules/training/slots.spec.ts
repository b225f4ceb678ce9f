import { chooseSlot } from './slots.js';

const running = (slot: number, ...gpu_indices: number[]) => ({ slot, gpu_indices });

describe('the choice of a slot', () => {
  it('is the lowest free one', () => {
    expect(chooseSlot({ slots: 3, gpus: 0 }, [], 0)).toEqual({ slot: 0, gpus: [] });
    expect(chooseSlot({ slots: 3, gpus: 0 }, [running(0), running(2)], 0)).toEqual({ slot: 1, gpus: [] });
  });

  it('waits for a slot when all are taken, also by jobs of a time with more of them', () => {
    expect(chooseSlot({ slots: 1, gpus: 4 }, [running(0)], 1)).toEqual({ waitingFor: 'slot' });
    expect(chooseSlot({ slots: 1, gpus: 4 }, [running(5)], 1)).toEqual({ waitingFor: 'slot' });
    expect(chooseSlot({ slots: 2, gpus: 0 }, [{ slot: null, gpu_indices: [] }], 0)).toEqual({ slot: 0, gpus: [] });
  });

  it('takes the lowest free GPUs, and waits when they are too few', () => {
    expect(chooseSlot({ slots: 4, gpus: 4 }, [running(0, 0, 2)], 2)).toEqual({ slot: 1, gpus: [1, 3] });
    expect(chooseSlot({ slots: 4, gpus: 4 }, [running(0, 0, 2)], 3)).toEqual({ waitingFor: 'gpu' });
    expect(chooseSlot({ slots: 4, gpus: 4 }, [running(0, 0, 1, 2, 3)], 0)).toEqual({ slot: 1, gpus: [] });
  });
});
