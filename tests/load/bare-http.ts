/** A bare node:http server that answers ready bytes: what no framework can be faster than. Run as a child process. */
import { createServer } from 'node:http';

export interface ReadyAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

process.on('message', (answer: ReadyAnswer) => {
  const body = Buffer.from(answer.body, 'base64');
  const headers = Object.entries(answer.headers).flat();
  const server = createServer((req, res) => {
    // A body that was sent is read to its end, as every server must.
    req.resume();
    res.writeHead(answer.status, headers).end(body);
  });
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
});
