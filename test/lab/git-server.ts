import { gitHttp } from '../rigs/git-http.ts';

/** `gitHttp` for the repositories below a directory, on every address of a lab host; prints its port. Runs until it is killed. */
const [root = '', user = '', password = ''] = process.argv.slice(2);
const { url } = await gitHttp(root, { user, password }, '::');
process.stdout.write(`${new URL(url).port}\n`);
