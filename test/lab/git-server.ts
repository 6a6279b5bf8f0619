import { gitHttp } from '../rigs/git-http.ts';

/** `gitHttp` for the repositories below a directory, on every address of a lab host; prints its port. Runs until it is killed. */
const [root = '', user = '', password = '', wanted = '0'] = process.argv.slice(2);
const login = user === '' ? undefined : { user, password };
const { url } = await gitHttp(root, login, '::', Number(wanted));
process.stdout.write(`${new URL(url).port}\n`);
