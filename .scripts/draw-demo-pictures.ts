// Draws the pictures of the demo shop, the stand-in for a missing picture and the touch icon:
//   npx tsx .scripts/draw-demo-pictures.ts [folder]
// With a folder it also leaves there the SVG of each product and a contact sheet to look at.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { demoCatalogue } from '../src/demo/catalogue.ts';
import { ceramics } from './demo-pictures/ceramics.ts';
import { garden } from './demo-pictures/garden.ts';
import { kitchen } from './demo-pictures/kitchen.ts';
import { navy } from './demo-pictures/palette.ts';
import { pantry } from './demo-pictures/pantry.ts';
import { paper } from './demo-pictures/paper.ts';
import { placeholder } from './demo-pictures/placeholder.ts';
import { textiles } from './demo-pictures/textiles.ts';

const images = join(import.meta.dirname, '../public/img');
const drawings: ReadonlyMap<string, string> = new Map(
  Object.entries({ ...ceramics, ...kitchen, ...textiles, ...pantry, ...garden, ...paper }),
);

function drawingOf(code: string): string {
  const svg = drawings.get(code);
  if (!svg) throw new Error(`No drawing for product ${code}`);
  return svg;
}

async function paint(svg: string, file: string): Promise<void> {
  const { size } = await sharp(Buffer.from(svg)).webp({ quality: 76, effort: 6, smartSubsample: true }).toFile(file);
  console.log(`${file} ${(size / 1000).toFixed(1)} kB`);
}

async function contactSheet(svgs: readonly string[], file: string): Promise<void> {
  const [columns, side, gap] = [6, 320, 12];
  const tiles = await Promise.all(
    svgs.map(async (svg, i) => ({
      input: await sharp(Buffer.from(svg)).resize(side).png().toBuffer(),
      left: gap + (i % columns) * (side + gap),
      top: gap + Math.floor(i / columns) * (side + gap),
    })),
  );
  const width = columns * (side + gap) + gap;
  const height = Math.ceil(svgs.length / columns) * (side + gap) + gap;
  await sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite(tiles)
    .png()
    .toFile(file);
}

await mkdir(join(images, 'demo'), { recursive: true });
for (const { code, picture } of demoCatalogue) await paint(drawingOf(code), join(images, 'demo', picture));
await paint(placeholder, join(images, 'placeholder.webp'));
// A touch icon fills its square: the platform rounds the corners itself.
await sharp(join(images, '../favicon.svg'), { density: 300 })
  .resize(180, 180)
  .flatten({ background: navy })
  .png()
  .toFile(join(images, '../apple-touch-icon.png'));

const proofs = process.argv[2];
if (proofs) {
  await mkdir(proofs, { recursive: true });
  for (const { code } of demoCatalogue) await writeFile(join(proofs, `${code.toLowerCase()}.svg`), drawingOf(code));
  await contactSheet(
    [...demoCatalogue.map(({ code }) => drawingOf(code)), placeholder],
    join(proofs, 'contact-sheet.png'),
  );
}
