import { ACCESS_KEY, SECRET_KEY } from './mock-route53.ts';

/** AWS' variables for the mock: nothing of this machine's own, and nothing asked of another machine. */
export const AWS_ENVIRONMENT: { readonly [name: string]: string } = {
  AWS_ACCESS_KEY_ID: ACCESS_KEY,
  AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
};

/** Variables that would lead AWS' client elsewhere. */
const OTHERS = [
  'AWS_SESSION_TOKEN',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_ROUTE_53',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
];

/** Of this process, for the time of a test file. */
export function useAwsEnvironment(): void {
  for (const name of OTHERS) delete process.env[name];
  Object.assign(process.env, AWS_ENVIRONMENT);
}
