/**
 * What many would write: Express and Mongoose, a lean list of 20 with its total, on the database of argv[2], filled
 * with 10,000 products. Run as a child process.
 */
import type { AddressInfo } from 'node:net';
import express from 'express';
import mongoose from 'mongoose';
import { benchProduct, PRODUCTS } from './shop.ts';

await mongoose.connect(process.argv[2] ?? '', { autoIndex: false, autoCreate: false });
const Product = mongoose.model(
  'Product',
  new mongoose.Schema(
    { code: String, title: String, description: String, price: Number, stock: Number, category: String },
    { timestamps: true },
  ),
);
await Product.collection.createIndex({ createdAt: -1, _id: -1 });
await Product.insertMany(Array.from({ length: PRODUCTS }, (_, n) => benchProduct(n)));

const app = express();
app.get('/api/products', async (_req, res) => {
  const [items, total] = await Promise.all([
    Product.find().sort({ createdAt: -1, _id: -1 }).limit(20).lean(),
    Product.countDocuments(),
  ]);
  res.json({ items, total, page: 1, limit: 20, pages: Math.ceil(total / 20) });
});
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));

process.on('message', async () => {
  await mongoose.connection.dropDatabase();
  process.exit(0);
});
