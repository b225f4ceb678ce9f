/** 1 coarse, 2 an insult, 3 hatred or a threat. */
export type Severity = 1 | 2 | 3;

/**
 * Folded words and phrases, each with the endings of German. Words of law and medicine that only name a thing (Mord,
 * Ausländer, Prostitution, Spastik, Retardtablette, Bastard as a plant) are none, nor are parts of longer words.
 */
const entries: Readonly<Record<Severity, readonly string[]>> = {
  1: [
    'scheisse|scheiss|scheissdreck|scheissegal|beschissen(?:e[nrsm]?)?|verschissen(?:e[nrsm]?)?|kacke|kackscheisse',
    'arsch|am arsch|verarsch(?:en|t)|verarschung|leck mich',
    'verdammte scheisse|verfluchte scheisse|so ein scheiss|piss(?:er|e)|verpiss(?:t|en)?',
    'idiot(?:en)?|vollidiot(?:en)?|trottel|volltrottel|depp(?:en)?|vollpfosten|penner|spinner|blodmann|bloedmann|dummkopf',
    'shit|shitty|bullshit|crap|damn it|goddamn|wtf|pissed off|piss off|arse|jackass|moron(?:s)?|imbecile(?:s)?',
    'luegenpresse|gutmensch(?:en)?|krueppel',
  ],
  2: [
    'arschloch|arschloecher[n]?|arschgeige(?:n)?|arschkriecher|wichser[n]?|wixer|hurensohn|hurensoehne[n]?|hure(?:n)?|nutte(?:n)?',
    'schlampe(?:n)?|fotze(?:n)?|miststueck(?:e)?|drecksau|drecksaeue|dreckschwein(?:e)?|drecksack|saftsack|schweinehund|hackfresse',
    'missgeburt(?:en)?|spast(?:i|is|en)?|mongo(?:s)?|schwuchtel(?:n)?|tunte(?:n)?|kampflesbe(?:n)?|transe(?:n)?',
    'fick(?:en|t|te|dich)?|fick dich|gefickt(?:e[nrs]?)?|fickt euch|abgefickt|verfickt(?:e[nrsm]?)?|mutterficker',
    'halt die fresse|halt(?:s)? maul|halt dein maul|verpiss dich|verpisst euch|volksverraeter|zigeuner(?:pack)?|zecken ?pack',
    'neger|itaker|polacke(?:n)?|kanacke(?:n)?|asylschmarotzer|sozialschmarotzer|gesindel',
    'fuck|fucking|fucked|fucker(?:s)?|fuck you|fuck off|motherfucker(?:s)?|motherfucking|mf',
    'asshole(?:s)?|arsehole(?:s)?|bitch(?:es)?|cunt(?:s)?|whore(?:s)?|slut(?:s)?|dickhead(?:s)?|wanker(?:s)?|twat(?:s)?|douchebag(?:s)?',
    '(?:you|fucking|such a|stupid|you re a) retard|retards|tranny|trannies|scumbag(?:s)?|shut the fuck up|stfu|son of a bitch',
  ],
  3: [
    'kanake(?:n)?|nigger(?:s|n)?|niggers|niggas?|kuemmeltuerke(?:n)?|schlitzauge(?:n)?|kameltreiber|drecksauslaender|drecksjude(?:n)?',
    'judensau|judensaeue|judenschwein(?:e)?|saujude(?:n)?|untermensch(?:en)?|scheiss ?(?:auslaender|jude|juden|tuerke|tuerken|araber|moslems?|neger|schwule[nr]?|polen)',
    '(?:auslaender|juden|moslems?|muslime|schwule|fluechtlinge) (?:raus|ins gas|vergasen|an die wand|abknallen|aufhaengen)',
    '(?:gehoer(?:t|en)|sollte(?:n)?|muess(?:t|te|ten|en)|muss)(?: \\p{L}+){0,4} (?:vergast|erschossen|abgeknallt|aufgehaengt|ausgerottet|totgeschlagen|gesteinigt)(?: werden| gehoeren)?',
    'heil hitler|sieg heil|white power|gas the jews|heil dir hitler|14 88',
    '(?:ich )?(?:bring(?:e)?|mach(?:e)?|stech(?:e)?|schlag(?:e)?|knall(?:e)?) (?:dich|euch|sie alle)(?: \\p{L}+){0,2} (?:um|kalt|ab|tot)',
    'geh sterben|bring dich (?:doch )?(?:selbst )?um|(?:du sollst|soll(?:st)?) (?:verrecken|krepieren)|verreck(?:e)?|haeng dich auf',
    'kill yourself|kys|go die|hope you die|i will kill you|i ll kill you|gonna kill you|you should die|go kill yourself|hang yourself',
    'kike(?:s)?|spic(?:s)?|chink(?:s)?|gook(?:s)?|wetback(?:s)?|raghead(?:s)?|towelhead(?:s)?|faggot(?:s)?|subhuman(?:s)?',
  ],
};

/** Written with stars: `f***`, `Sch***e`. */
export const starred =
  /(?<![\p{L}\d*])(?:f[*#@!]{1,3}(?:ck|k)?(?:ing|er)?|sch?[*#@!]{2,5}(?:e|ß|sse)?|a[*#@!]{2,8}(?:loch|hole)|n[*#@!]{3,5}r|b[*#@!]{2,3}ch|c[*#@!]nt)(?![\p{L}\d*])/giu;

export const toxicWords = ([3, 2, 1] as const).map((severity) => ({
  severity,
  pattern: new RegExp(`(?<![\\p{L}\\d])(?:${entries[severity].join('|')})(?![\\p{L}\\d])`, 'gu'),
}));
