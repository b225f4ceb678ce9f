/** German words that say nothing of a text's subject, lowered as written (`würde` is no stop word: it is a right). */
const STOP_WORDS = `
ab aber alle allem allen aller alles als also am an andere anderem anderen anderer anderes anders auch auf aus bei beim bereits bin bis bist
bzw da dabei dadurch dafür dagegen daher dahin damit danach daneben dann daran darauf daraus darf darfst darin darüber darum darunter das
dass davon davor dazu dein deine deinem deinen deiner dem demgemäß den denen denn dennoch der deren derer des deshalb dessen desto deswegen
dich die dies diese dieselbe dieselben diesem diesen dieser dieses dir doch dort du durch dürfen eben ein eine einem einen einer eines
einige einigem einigen einiger einiges er es etwa etwas euch euer eure falls für gegen gewesen gibt hab habe haben hat hatte hatten hier
hierbei hierdurch hierfür hierzu hin ich ihm ihn ihnen ihr ihre ihrem ihren ihrer ihres im in indem infolge ins insbesondere insofern insoweit
ist ja je jede jedem jeden jeder jedes jedoch jemand jene jenem jenen jener jenes jetzt kann kannst kein keine keinem keinen keiner keines
können könnte könnten machen man manche manchem manchen mancher manches mehr mein meine meinem meinen meiner mich mir mit muss müssen musst
müsste nach nachdem nämlich neben nicht nichts noch nun nur ob oder ohne sehr seid sein seine seinem seinen seiner seines seit selbst sich
sie sind so sodass sofern sogar solange solche solchem solchen solcher solches soll sollen sollte sollten somit sondern sonst soweit sowie
sowohl über um und uns unser unsere unserem unseren unserer unseres unter usw viel viele vielem vielen vieler vom von vor wann war waren warum
was weder wegen weil weiter weitere welche welchem welchen welcher welches wenn wer werde werden wessen wie wieder will wir wird wirst wo
wobei wodurch wofür woher wohin wollen wonach woran worauf woraus worden worin worüber würden wurde wurden zu zum zur zwar zwischen
`;

const words = new Set(
  STOP_WORDS.replaceAll('ß', 'ss')
    .split(/\s+/)
    .filter((word) => word !== ''),
);

/** @param word lowered, umlauts as real ones */
export const isStopWord = (word: string): boolean => words.has(word);
