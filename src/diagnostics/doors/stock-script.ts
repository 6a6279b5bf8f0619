/**
 * What Buildbot's own Python is given to run with `-c`, a directory and the name of a configuration file: loads it as `buildbot checkconfig` does, and prints one
 * line, the word it was given and JSON, whatever else the configuration prints. Of the configuration only ports and the URL are told.
 */
export const STOCK_SCRIPT = `
import json, os, sys
word, basedir, name = sys.argv[1:4]
told = {'version': None, 'errors': [], 'values': {}}
def tell():
    sys.stdout.flush()
    sys.stdout.write('\\n' + word + json.dumps(told) + '\\n')
    sys.stdout.flush()
def plain(value):
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) and len(str(value)) <= 300 else None
try:
    import buildbot
    told['version'] = str(buildbot.version)[:40]
    try:
        from buildbot.config.errors import ConfigErrors
    except ImportError:
        from buildbot.config import ConfigErrors
    try:
        from buildbot.config.master import MasterConfig, loadConfigDict
    except ImportError:
        from buildbot.config import MasterConfig, loadConfigDict
    try:
        os.chdir(basedir)
        filename, config = loadConfigDict(basedir, name)
        values = told['values']
        protocols = config.get('protocols')
        if isinstance(protocols, dict):
            for protocol, options in protocols.items():
                if isinstance(options, dict):
                    values["c['protocols']['%s']['port']" % protocol] = plain(options.get('port'))
        if 'slavePortnum' in config:
            values["c['slavePortnum']"] = plain(config['slavePortnum'])
        www = config.get('www')
        if isinstance(www, dict) and 'port' in www:
            values["c['www']['port']"] = plain(www['port'])
        values["c['buildbotURL']"] = plain(config.get('buildbotURL'))
        MasterConfig.loadFromDict(config, filename)
    except ConfigErrors as e:
        told['errors'] = [str(one)[:500] for one in e.errors][:20]
    except BaseException as e:
        told['errors'] = ['%s: %s' % (type(e).__name__, str(e)[:500])]
except BaseException as e:
    told['version'] = None
    told['errors'] = ['%s: %s' % (type(e).__name__, str(e)[:300])]
tell()
os._exit(0)
`;
