import { ocrOf, ocrSpecs } from './ocr-settings.js';
import { cleanEnv } from 'envalid';

const read = (env: Record<string, string>) =>
  ocrOf(
    cleanEnv(env, ocrSpecs, {
      reporter: ({ errors }) => {
        const [name, error] = Object.entries(errors)[0] ?? [];
        if (name) throw new Error(`${name}: ${error?.message ?? ''}`);
      },
    }),
  );

describe('the settings of OCR', () => {
  it('are on, in German and English, within bounds', () => {
    expect(read({})).toEqual({
      languages: ['deu', 'eng'],
      workers: 1,
      memoryMb: 768,
      maxPages: 200,
      pageMs: 120_000,
      dpi: 300,
      maxPixels: 40_000_000,
      leastConfidence: 60,
    });
  });

  it('switch it off, and name a language that is not there', () => {
    expect(read({ CLARA_OCR: 'off' })).toBeNull();
    expect(read({ CLARA_OCR: 'on', CLARA_OCR_LANGUAGES: 'deu' })?.languages).toEqual(['deu']);
    expect(() => read({ CLARA_OCR_LANGUAGES: 'fra' })).toThrow(
      'CLARA_OCR_LANGUAGES: "fra" is not a list out of deu, eng',
    );
  });
});
