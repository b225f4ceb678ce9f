import { getResolvedPDFJS, type getDocumentProxy } from 'unpdf';
import { chained, IDENTITY, type Matrix } from './matrix.js';
import { grayOf, stencilOf, type DecodedPicture, type PictureLayer } from './picture-layer.js';

export type PdfPageProxy = Awaited<ReturnType<Awaited<ReturnType<typeof getDocumentProxy>>['getPage']>>;

export interface PageLayers {
  layers: PictureLayer[];
  /** Pictures that are there and could not be decoded, or are larger than they may be. */
  lost: number;
}

const MOST_LAYERS = 2000;
const DECODE_MS = 60_000;
const BLACK = 0;
const WHITE = 255;
/** Darker is text that was cut out as a stencil; lighter is paper. */
const LIGHT = 200;

type Operators = Awaited<ReturnType<typeof getResolvedPDFJS>>['OPS'];

/** The pictures of a page in the order they are painted, decoded by PDF.js; nothing else of it is drawn. */
export async function pageLayers(page: PdfPageProxy): Promise<PageLayers> {
  const { OPS } = await getResolvedPDFJS();
  const { fnArray, argsArray } = await page.getOperatorList();
  const walk = new LayerWalk(page, OPS);
  for (const [at, operator] of fnArray.entries()) {
    await walk.step(operator, (argsArray[at] ?? []) as readonly unknown[]);
    if (walk.found.layers.length >= MOST_LAYERS) break;
  }
  return walk.found;
}

class LayerWalk {
  readonly found: PageLayers = { layers: [], lost: 0 };
  readonly #saved: { place: Matrix; shade: number }[] = [];
  #now: { place: Matrix; shade: number } = { place: IDENTITY, shade: BLACK };

  constructor(
    private readonly page: PdfPageProxy,
    private readonly ops: Operators,
  ) {}

  async step(operator: number, args: readonly unknown[]): Promise<void> {
    const { ops } = this;
    if (operator === ops.save) this.#saved.push({ ...this.#now });
    else if (operator === ops.restore || operator === ops.paintFormXObjectEnd)
      this.#now = this.#saved.pop() ?? this.#now;
    else if (operator === ops.transform) this.#move(args as unknown as Matrix);
    else if (operator === ops.paintFormXObjectBegin) this.#enter(args[0]);
    else if (operator === ops.setFillRGBColor) this.#now.shade = shadeOf(args);
    else if (operator === ops.paintImageXObject) this.#add(grayOf, await this.#object(String(args[0])));
    else if (operator === ops.paintInlineImageXObject) this.#add(grayOf, args[0] as DecodedPicture);
    else if (operator === ops.paintImageMaskXObject) await this.#stencil(args[0] as DecodedPicture | null);
  }

  #move(matrix: Matrix): void {
    this.#now.place = chained(this.#now.place, matrix);
  }

  #enter(matrix: unknown): void {
    this.#saved.push({ ...this.#now });
    if (Array.isArray(matrix) || ArrayBuffer.isView(matrix)) this.#move([...(matrix as number[])] as unknown as Matrix);
  }

  async #stencil(given: DecodedPicture | null): Promise<void> {
    const name = given?.data as unknown;
    const data = typeof name === 'string' ? (await this.#object(name))?.data : given?.data;
    const shade = this.#now.shade > LIGHT ? WHITE : BLACK;
    this.#add((picture) => stencilOf(picture, shade), given && data ? { ...given, data } : null);
  }

  #add(toGray: (picture: DecodedPicture) => Omit<PictureLayer, 'place'> | null, picture: DecodedPicture | null): void {
    const gray = picture && toGray(picture);
    if (gray) this.found.layers.push({ ...gray, place: this.#now.place });
    else this.found.lost++;
  }

  /** Null where it could not be decoded. */
  #object(name: string): Promise<DecodedPicture | null> {
    const objects = name.startsWith('g_') ? this.page.commonObjs : this.page.objs;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(null), DECODE_MS);
      objects.get(name, (decoded: DecodedPicture | null) => {
        clearTimeout(timer);
        resolve(decoded);
      });
    });
  }
}

/** `#rrggbb`, or three numbers up to 255. */
function shadeOf([first, second, third]: readonly unknown[]): number {
  const parts =
    typeof first === 'string'
      ? [1, 3, 5].map((at) => Number.parseInt(first.slice(at, at + 2), 16))
      : [Number(first), Number(second), Number(third)];
  return (parts.reduce((sum, part) => sum + (part || 0), 0) / 3) | 0;
}
