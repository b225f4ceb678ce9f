import { before, spansOf, type Span } from './span.js';

/** Places of registration (Fahrzeug-Zulassungsverordnung, annex of § 9), older ones that were taken up again included. */
const PLACES = new Set(
  (
    'A AA AB ABG ABI AC AE AH AIB AIC AK ALF ALZ AM AN ANA ANG ANK AÖ AP APD ARN ART AS ASD ASL ASZ AT AU AUR AW AZ AZE ' +
    'B BA BAD BAR BB BBG BBL BC BCH BE BED BER BF BG BGD BGL BH BI BID BIN BIR BIT BIW BK BKS BL BLB BLK BM BN BNA BO BÖ ' +
    'BOG BOH BOR BOT BRA BRB BRG BRI BRK BRL BRV BS BSB BSK BT BTF BÜD BUL BÜR BÜS BÜZ BWL BYL BZ BZA ' +
    'C CA CAS CB CE CHA CLP CLZ CO COC COE CR CUX CW D DA DAH DAN DAU DB DBR DD DE DEG DEL DGF DH DI DIL DIN DIZ DKB DL DLG ' +
    'DM DN DO DON DS DT DU DÜW DW DZ E EA EB EBE EBN EBS ECK ED EE EF EG EH EI EIC EIL EIN EIS EL EM EMD EMS EN ER ERB ERH ' +
    'ERK ERZ ES ESB ESW EU EUT EW F FB FD FDB FDS FEU FF FFB FG FH FI FKB FL FLÖ FN FO FOR FR FRG FRI FRW FS FT FTL FÜ FÜS FW FZ ' +
    'G GA GAN GAP GC GD GDB GE GEL GEM GEO GER GF GG GHA GHC GI GK GL GLA GM GMN GN GNT GÖ GOA GOH GP GR GRA GRH GRI GRM ' +
    'GRS GRZ GS GT GTH GÜ GUB GUN GV GVM GW GZ H HA HAB HAL HAM HAS HB HBN HBS HC HCH HD HDH HDL HE HEB HEF HEI HEL HER HET HF ' +
    'HG HGN HGW HH HHM HI HIG HIP HK HL HM HMÜ HN HO HOG HOH HOL HOM HOR HÖS HOT HP HR HRO HS HSK HST HU HV HVL HWI HX HY HZ ' +
    'IGB IK IL ILL IN IS IZ J JE JEV JL JÜL K KA KB KC KE KEH KEL KEM KF KG KH KI KIB KK KL KLE KLZ KM KN KO KÖN KÖT KÖZ KR KRU ' +
    'KS KT KU KÜN KUS KW KY KYF L LA LAN LAU LB LBS LBZ LC LD LDK LDS LEO LER LEV LF LG LH LI LIB LIN LIP LL LM LÖ LÖB LOS LP LR ' +
    'LRO LSA LSN LSZ LU LÜN LUP LWL M MA MAB MAI MAK MAL MB MC MD ME MED MEG MEI MEK MEL MER MET MG MGH MGN MH MHL MI MIL MK MKK ' +
    'ML MM MN MO MOD MOL MON MOS MQ MR MS MSE MSH MSP MST MTK MTL MÜ MÜB MÜL MÜN MÜR MW MY MYK MZ MZG N NAB NAI NAU NB ND NDH NE ' +
    'NEA NEB NEC NEN NES NEW NF NH NI NK NL NM NMB NMS NÖ NOH NOL NOM NOR NP NR NRÜ NRW NT NU NVP NW NWM NY NZ OA OAL OB OBB OBG ' +
    'OC OCH OD OE OF OG OH OHA OHV OHZ OK OL OP OPR OR OS OSL OTW OVI OVL OVP OZ P PA PAF PAN PAR PB PCH PE PEG PER PF PI PIR PL ' +
    'PLÖ PM PN PR PRÜ PS PW PZ QFT QLB R RA RC RD RDG RE REG REH REI RG RH RI RID RIE RL RM RO ROD ROF ROK ROL ROS ROT ROW RP RPL ' +
    'RS RSL RT RU RÜD RÜG RV RW RZ S SAB SAD SAL SAN SAW SB SBG SBK SC SCZ SDH SDL SDT SE SEB SEE SEF SEL SFB SFT SG SGH SH SHA ' +
    'SHG SHK SHL SI SIG SIM SK SL SLE SLF SLK SLN SLS SLÜ SLZ SM SN SO SOB SOG SOK SÖM SON SP SPB SPN SR SRB SRO ST STA STB STD ' +
    'STE STL STO SU SUL SÜW SW SWA SZ SZB TBB TDO TE TET TF TG THL TIR TO TÖL TP TR TS TT TÜ TUT ÜB UE UEM UFF UH UL UM UN USI ' +
    'V VAI VB VEC VER VG VIB VIE VIT VK VOF VOH VR VS W WA WAF WAK WAN WAR WAT WB WBS WDA WE WEB WEG WEL WEN WER WES WF WG WHV WI ' +
    'WIL WIS WIT WIZ WK WL WLG WM WMS WN WND WO WOB WOH WOL WOR WOS WR WRN WS WSF WSM WST WSW WT WTL WTM WÜ WUG WÜM WUN WUR WW WZ ' +
    'WZL X Y Z ZE ZEL ZI ZIG ZP ZR ZW ZZ'
  ).split(' '),
);

const PLATE = /(?<![\p{L}\d/-])([A-ZÄÖÜ]{1,3})([- ])([A-Z]{1,2})[ -]?([1-9]\d{0,3})[EH]?(?![\p{L}\d]|[./,-]\d|\/)/gu;
const LABEL =
  /(?<!\p{L})(?:kennzeichen|kfz|pkw|lkw|fahrzeugs?|wagens?|autos?|halterin|halter|kraftfahrzeugs?|motorrads?|anhängers?|registration|plate)(?!\p{L})[^\n.\d]{0,45}$/iu;
/** What norms and other numbers begin with. */
const NORM = /^(?:DIN-(?:EN|VD|IS)|EN-|EU-|ISO|HR-|NR-)/;

/**
 * With a hyphen behind the place (`B-MW 1234`) anywhere if it has three letters; with a space, or with only two letters,
 * behind a word such as Kennzeichen.
 */
export const numberPlates = (text: string): Span[] =>
  spansOf(text, PLATE, ({ 0: found, 1: place = '', 2: gap, 3: letters = '', index }) => {
    if (!PLACES.has(place) || NORM.test(found)) return false;
    if (LABEL.test(before(text, index))) return true;
    return gap === '-' && place.length + letters.length >= 3 && /[A-ZÄÖÜ] ?\d{2,}/u.test(found);
  });
