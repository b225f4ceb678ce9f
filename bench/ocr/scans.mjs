import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createCanvas, GlobalFonts } from '@napi-rs/canvas';
import { PDFDocument, StandardFonts } from 'pdf-lib';

const folder = join(dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
GlobalFonts.registerFromPath(join(folder, 'DejaVuSans.ttf'), 'sans');
GlobalFonts.registerFromPath(join(folder, 'DejaVuSerif.ttf'), 'serif');

const A4 = { width: 595, height: 842 };
const POINTS = 72;
const MARGIN = 60;
const LEADING = 1.5;
const HEADING = 1.4;

/** Drawn as a scanner sees it. A line that begins with `# ` is a heading; an empty one parts paragraphs. */
export function scanOf(lines, options = {}) {
  const { dpi = 150, font = 'serif', size = 11, askew = 0, specks = 0, seed = 1, format = 'png' } = options;
  const scale = dpi / POINTS;
  const canvas = createCanvas(Math.round(A4.width * scale), Math.round(A4.height * scale));
  const context = canvas.getContext('2d');
  context.fillStyle = '#fbfaf6';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#1c1c1c';
  context.rotate((askew * Math.PI) / 180);
  let y = MARGIN;
  for (const line of lines) {
    const isHeading = line.startsWith('# ');
    const points = isHeading ? size * HEADING : size;
    context.font = `${points * scale}px ${font}`;
    context.fillText(isHeading ? line.slice(2) : line, MARGIN * scale, y * scale);
    y += points * LEADING;
  }
  if (specks > 0) addSpecks(context, canvas, specks, seed);
  return canvas.toBuffer(format === 'png' ? 'image/png' : 'image/jpeg', 75);
}

function addSpecks(context, { width, height }, share, seed) {
  let state = seed;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  for (let left = Math.round(width * height * share); left > 0; left--) {
    context.fillStyle = random() < 0.5 ? '#000' : '#fff';
    context.fillRect(random() * width, random() * height, 2, 2);
  }
}

/** A PDF of scans (Buffers of png or jpeg), of pages with text ({text: lines}), and of blank pages (null). */
export async function pdfOfScans(pages) {
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  for (const content of pages) {
    const page = pdf.addPage([A4.width, A4.height]);
    if (content === null) continue;
    if (!Buffer.isBuffer(content))
      for (const [at, text] of content.text.entries())
        page.drawText(text, { x: MARGIN, y: A4.height - MARGIN - at * 16, size: 11, font });
    else
      page.drawImage(await (content[0] === 0xff ? pdf.embedJpg(content) : pdf.embedPng(content)), {
        ...A4,
        x: 0,
        y: 0,
      });
  }
  return Buffer.from(await pdf.save());
}
