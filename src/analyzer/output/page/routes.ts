/** Routes of the status page: three static texts; the page may connect only to this server. */
import type { HttpAnswer, HttpRoute } from '../../../transport/http/server.ts';
import { PAGE_HTML, PAGE_ICON } from './html.ts';
import { PAGE_SCRIPT } from './script.ts';
import { PAGE_CSS } from './style.ts';

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const still = (type: string, body: string): HttpRoute => {
  const answer: HttpAnswer = { status: 200, type, body, headers: { 'content-security-policy': POLICY } };
  return () => answer;
};

export const pageRoutes: Readonly<Record<string, HttpRoute>> = {
  '/': still('text/html; charset=utf-8', PAGE_HTML),
  '/page.css': still('text/css; charset=utf-8', PAGE_CSS),
  '/page.js': still('text/javascript; charset=utf-8', PAGE_SCRIPT),
  '/icon.svg': still('image/svg+xml', PAGE_ICON),
};
