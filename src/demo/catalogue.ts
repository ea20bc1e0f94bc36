/**
 * The products of the demo shop: what a new Feira sells until it has a catalogue of its own.
 * Pictures are in `public/img/demo`, drawn by `.scripts/draw-demo-pictures.ts`.
 */

export type DemoProduct = {
  code: string;
  title: string;
  description: string;
  /** Euro cents; with variants the lowest of theirs. */
  price: number;
  stock: number;
  category: string;
  /** The category above its own. */
  under?: string;
  /** The name of what can be chosen, and the choices. */
  choice?: { name: string; variants: readonly { value: string; price: number; stock: number }[] };
  /** The regular price of a reduced one, and the lowest of the 30 days before. */
  reduced?: { listPrice: number; lowestPriceBefore: number };
  /** Codes of what goes with it. */
  related?: readonly string[];
  /** File name below `/img/demo/`. */
  picture: string;
};

const ceramics: readonly DemoProduct[] = [
  {
    code: 'CER-001',
    title: 'Azulejo Water Jug',
    description:
      'Thrown on the wheel and painted by hand with a band of tile flowers in cobalt blue. The wide lip pours without a drip and the handle leaves room for a whole hand. Holds 1.4 litres; no two bands are quite alike.',
    price: 4850,
    stock: 14,
    category: 'Ceramics',
    under: 'Household',
    picture: 'cer-001.webp',
  },
  {
    code: 'CER-002',
    title: 'Speckled Breakfast Mug',
    description:
      'A generous stoneware mug, dipped in terracotta glaze and left to run as it likes. The bare clay below stays pleasantly rough in the hand. Holds 380 ml and goes in the dishwasher without complaint.',
    price: 1650,
    stock: 42,
    category: 'Ceramics',
    under: 'Household',
    choice: {
      name: 'Glaze',
      variants: [
        { value: 'Terracotta', price: 1650, stock: 18 },
        { value: 'Cobalt', price: 1650, stock: 0 },
        { value: 'Olive', price: 1890, stock: 24 },
      ],
    },
    related: ['CER-001', 'KIT-002', 'TEX-001'],
    picture: 'cer-002.webp',
  },
  {
    code: 'CER-003',
    title: 'Lemon Grove Platter',
    description:
      'Made for the middle of the table: a 34 cm serving plate with two lemons, a slice and a rim of blue triangles. The glaze is lead-free and fired twice, so the colours stay. Hang it on the wall between parties.',
    price: 5900,
    stock: 9,
    category: 'Ceramics',
    under: 'Household',
    picture: 'cer-003.webp',
  },
  {
    code: 'CER-004',
    title: 'Market Day Rooster',
    description:
      'The rooster that every market stall keeps for luck, modelled in clay and painted with hearts, dots and a four-coloured tail. Stands 22 cm tall on his blue hill. He has never been known to crow.',
    price: 2790,
    stock: 3,
    category: 'Ceramics',
    under: 'Household',
    picture: 'cer-004.webp',
  },
];

const kitchen: readonly DemoProduct[] = [
  {
    code: 'KIT-001',
    title: 'Olive Wood Board',
    description:
      'Cut from a single plank of olive wood, so the grain runs unbroken from foot to handle. Dense enough for daily chopping and handsome enough to carry the cheese to the table. Oil it twice a year and it will outlive the knife.',
    price: 3900,
    stock: 18,
    category: 'Kitchen',
    under: 'Household',
    picture: 'kit-001.webp',
  },
  {
    code: 'KIT-002',
    title: 'Three-Cup Moka Pot',
    description:
      'The eight-sided stovetop coffee maker, cast in thick aluminium with a handle that stays cool. Makes three small strong cups in about five minutes, on gas or electric. Spare gaskets are always in stock.',
    price: 2950,
    stock: 27,
    category: 'Kitchen',
    under: 'Household',
    picture: 'kit-002.webp',
  },
  {
    code: 'KIT-003',
    title: 'Enamel Garden Casserole',
    description:
      'Steel under three coats of bottle-green enamel, with a row of white sprigs and a brass knob. Light to lift, quick to heat and happy on every hob and in the oven. Holds 4.5 litres: soup for eight, or for one long week.',
    price: 6400,
    stock: 11,
    category: 'Kitchen',
    under: 'Household',
    picture: 'kit-003.webp',
  },
  {
    code: 'KIT-004',
    title: 'Pair of Spice Mills',
    description:
      'A tall walnut mill for pepper and a smaller one in maple for salt, turned and banded by hand. The ceramic grinders do not rust and adjust from dust to cracked with the brass knob. A handful of peppercorns is included.',
    price: 5250,
    stock: 16,
    category: 'Kitchen',
    under: 'Household',
    picture: 'kit-004.webp',
  },
];

const textiles: readonly DemoProduct[] = [
  {
    code: 'TEX-001',
    title: 'Striped Linen Tea Towels',
    description:
      'Two towels in washed linen: one in sailor stripes, one in the yellow of a July awning. They dry glasses without lint and get softer with every wash. Each has a loop for the peg; 50 by 70 cm.',
    price: 2400,
    stock: 35,
    category: 'Textiles',
    under: 'Household',
    picture: 'tex-001.webp',
  },
  {
    code: 'TEX-002',
    title: 'Shepherd Wool Blanket',
    description:
      'Woven from mountain wool in a terracotta and navy check, brushed on one side and finished with a cream fringe. Heavy enough for a winter sofa and fine for a summer evening outdoors. Measures 140 by 200 cm.',
    price: 11900,
    stock: 6,
    category: 'Textiles',
    under: 'Household',
    reduced: { listPrice: 14900, lowestPriceBefore: 13900 },
    related: ['TEX-004', 'CER-002'],
    picture: 'tex-002.webp',
  },
  {
    code: 'TEX-003',
    title: 'Orange Grove Market Tote',
    description:
      'Sturdy cotton canvas, printed with five ripe oranges and finished with webbing straps that sit well on the shoulder. Wide enough for leeks, flowers and a loaf all at once. Folds flat into a coat pocket.',
    price: 2200,
    stock: 58,
    category: 'Textiles',
    under: 'Household',
    picture: 'tex-003.webp',
  },
  {
    code: 'TEX-004',
    title: 'Tilework Cushion',
    description:
      'Sixteen wall tiles, embroidered instead of glazed, in cobalt, pine and terracotta. Piped in sky blue with a mustard tassel on each corner. The cotton cover unzips for washing; the feather filling, 45 by 45 cm, is included.',
    price: 4600,
    stock: 0,
    category: 'Textiles',
    under: 'Household',
    picture: 'tex-004.webp',
  },
];

const pantry: readonly DemoProduct[] = [
  {
    code: 'PAN-001',
    title: 'Early Harvest Olive Oil',
    description:
      'Pressed in October from olives picked while still green, within six hours of leaving the tree. Grassy at first, peppery at the end, and best on something plain like bread or tomatoes. Dark glass, 500 ml.',
    price: 1690,
    stock: 64,
    category: 'Pantry',
    choice: {
      name: 'Bottle',
      variants: [
        { value: '500 ml', price: 1690, stock: 40 },
        { value: '1 litre', price: 2990, stock: 4 },
      ],
    },
    related: ['PAN-003', 'KIT-001'],
    picture: 'pan-001.webp',
  },
  {
    code: 'PAN-002',
    title: 'Heather Hill Honey',
    description:
      'Raw honey from hives on the high moor, where the heather flowers in late summer. Dark, a little bitter and thick enough to stand a spoon in. Never heated, lightly strained, 450 g.',
    price: 1150,
    stock: 48,
    category: 'Pantry',
    picture: 'pan-002.webp',
  },
  {
    code: 'PAN-003',
    title: 'Sardines in Olive Oil',
    description:
      'Small sardines landed at dawn, trimmed by hand and packed head to tail in good olive oil. Eat them now on toast with lemon, or turn the tin every few months and let them mellow. Net weight 120 g.',
    price: 490,
    stock: 120,
    category: 'Pantry',
    picture: 'pan-003.webp',
  },
  {
    code: 'PAN-004',
    title: 'Mountain Sheep Cheese',
    description:
      'A whole wheel from a dairy with forty sheep, set with thistle and aged ninety days on spruce boards. Supple in the middle, with hay and toasted nuts towards the rind. About 1 kg; we send it wrapped in paper.',
    price: 2680,
    stock: 4,
    category: 'Pantry',
    picture: 'pan-004.webp',
  },
];

const garden: readonly DemoProduct[] = [
  {
    code: 'GAR-001',
    title: 'Daisy Watering Can',
    description:
      'Galvanised steel under a coat of garden green, with three daisies and a brass rose that rains rather than pours. Balanced between two handles, full or nearly empty. Holds 5 litres.',
    price: 3450,
    stock: 22,
    category: 'Garden',
    picture: 'gar-001.webp',
  },
  {
    code: 'GAR-002',
    title: 'Little Lemon Tree',
    description:
      'A grafted dwarf lemon, about 60 cm tall, already in flower and in fruit. Give it a bright window in winter and a sheltered step in summer. It comes in its own terracotta pot, with a card on how to keep it happy.',
    price: 4200,
    stock: 8,
    category: 'Garden',
    picture: 'gar-002.webp',
  },
  {
    code: 'GAR-003',
    title: 'Trowel and Hand Fork',
    description:
      'A forged pair for beds, pots and window boxes: a trowel with a point for stony ground and a three-tined fork for roots. Ash handles, brass collars and a hole for the hook. They can be sharpened, and should be.',
    price: 3100,
    stock: 19,
    category: 'Garden',
    picture: 'gar-003.webp',
  },
  {
    code: 'GAR-004',
    title: 'Awning Bird House',
    description:
      'A cedar house for tits and sparrows, under a roof striped like a market stall. The 32 mm door keeps larger guests out, and the back opens for spring cleaning. Post included; tenants find it by themselves.',
    price: 3890,
    stock: 13,
    category: 'Garden',
    picture: 'gar-004.webp',
  },
];

const paper: readonly DemoProduct[] = [
  {
    code: 'PAP-001',
    title: 'Azulejo Notebook',
    description:
      'Bound in printed cloth with a terracotta spine, a ribbon and a yellow band that keeps loose notes where they belong. Inside are 192 dotted pages of cream paper that takes a fountain pen. Opens flat from the first day.',
    price: 1890,
    stock: 40,
    category: 'Paper',
    picture: 'pap-001.webp',
  },
  {
    code: 'PAP-002',
    title: 'Letter Writing Set',
    description:
      'Everything but the words: twelve sheets, six airmail envelopes, six in blush and a stick of red wax with a flower seal. The paper is heavy enough to write on both sides. Comes in a flat box that later keeps the replies.',
    price: 2250,
    stock: 25,
    category: 'Paper',
    picture: 'pap-002.webp',
  },
  {
    code: 'PAP-003',
    title: 'Trio of Wrapping Papers',
    description:
      'Three rolls, three moods: zigzags in cobalt, oranges on cream and white sprigs on pine. Each is 3 metres long, printed with vegetable inks and free of plastic, so it goes in the paper bin. Cotton ribbon included.',
    price: 1390,
    stock: 72,
    category: 'Paper',
    picture: 'pap-003.webp',
  },
  {
    code: 'PAP-004',
    title: 'Homecoming Swallow Print',
    description:
      'Swallows come back to the same eaves each spring, which makes this a good print for a new home. Cut in lino and pulled by hand in five colours, in an edition of two hundred. Framed in walnut, 40 by 50 cm.',
    price: 8500,
    stock: 7,
    category: 'Paper',
    picture: 'pap-004.webp',
  },
];

/** 24 products, four in each of six categories, in the order of the shop window. */
export const demoCatalogue: readonly DemoProduct[] = [
  ...ceramics,
  ...kitchen,
  ...textiles,
  ...pantry,
  ...garden,
  ...paper,
];
