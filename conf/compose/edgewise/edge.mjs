// A web server with nothing but the test object, for compose.yaml.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const object = readFileSync(new URL('test-object.txt', import.meta.url));
createServer((request, response) => {
  response.statusCode = request.url === '/test-object.txt' ? 200 : 404;
  response.end(response.statusCode === 200 ? object : 'not found\n');
}).listen(Number(process.env.PORT ?? 80), process.env.ADDRESS ?? '0.0.0.0');
