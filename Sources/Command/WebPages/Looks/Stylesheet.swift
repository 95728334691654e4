/// How a page looks: on screens light and dark, narrow and wide, and in print.
enum Stylesheet {
  /// The whole sheet.
  static let text = """
    :root{color-scheme:light dark;\(Scheme.light.declarations)}
    @media screen and (prefers-color-scheme:dark){:root{\(Scheme.dark.declarations)}}
    \(general)
    \(tables)
    \(pictures)
    \(wide)
    \(print)

    """

  private static let general = """
    *{box-sizing:border-box}
    html{font:100%/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",Arial,sans-serif;
      color:var(--ink);background:var(--ground);-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
    body{margin:0 auto;max-width:82rem;padding:0 1.25rem;overflow-wrap:anywhere}
    header{padding:2.5rem 0 1.25rem;border-bottom:1px solid var(--line)}
    h1{font-size:1.9rem;line-height:1.2;margin:0;letter-spacing:-.015em;text-wrap:balance}
    header p{margin:.4rem 0 0;color:var(--soft);max-width:none}
    h2{font-size:1.35rem;line-height:1.25;margin:0 0 .5rem;letter-spacing:-.01em}
    h3{font-size:1.05rem;line-height:1.35;margin:1.75rem 0 .5rem}
    p,ul,dl{margin:0 0 1rem;max-width:44rem}
    main{outline:none}
    main>section{padding:2rem 0 1rem}
    main>section+section{border-top:1px solid var(--line)}
    .note,.up,.count,.arrow,footer{color:var(--soft)}
    a{color:var(--accent);text-underline-offset:.15em;text-decoration-thickness:.06em}
    a:hover{text-decoration-thickness:.12em}
    :focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:2px}
    :target{background:var(--mark)}
    section:target{background:none}
    section:target>h2{background:var(--mark);box-shadow:0 0 0 .3rem var(--mark)}
    code{font:.9em ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
    .skip{position:absolute;left:-99rem;padding:.5rem 1rem;background:var(--ground);z-index:9}
    .skip:focus{left:1rem;top:.5rem}
    nav{font-size:.9rem;padding:1rem 0;border-bottom:1px solid var(--line)}
    nav ol{list-style:none;margin:0;padding:0;columns:15rem;column-gap:1.5rem}
    nav li{padding:.2rem 0;break-inside:avoid}
    nav a{text-decoration:none}
    nav a:hover{text-decoration:underline}
    nav .mark{color:var(--soft);background:none}
    .summary{list-style:none;padding:0;max-width:50rem;border-top:1px solid var(--line)}
    .summary li{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.55rem 0;border-bottom:1px solid var(--line)}
    .severity{flex:0 0 6.25rem;font-weight:600;white-space:nowrap}
    .sign{display:inline-block;width:1.1em;text-align:center}
    .said{flex:1 1 20rem}
    .said a{white-space:normal}
    .problem .severity{color:var(--problem)}
    .notice .severity{color:var(--notice)}
    .fine .severity{color:var(--fine)}
    .skipped{border-left:3px solid var(--line);padding:.2rem 0 .2rem 1rem;color:var(--soft)}
    .facts{display:grid;gap:.3rem 0}
    .facts div{display:grid;grid-template-columns:minmax(8rem,14rem) minmax(0,1fr);gap:0 1rem}
    dt{color:var(--soft)}
    dd{margin:0;font-variant-numeric:tabular-nums}
    details{margin:0 0 1rem}
    summary{cursor:pointer;color:var(--accent);padding:.25rem 0;width:fit-content}
    details>:nth-child(2){margin-top:.5rem}
    footer{border-top:1px solid var(--line);padding:1rem 0 2rem;font-size:.85rem;margin-top:1rem}
    .up{font-size:.85rem;margin:.5rem 0 0}
    """

  private static let tables = """
    .table{margin:0 0 1.75rem}
    .caption{font-weight:600;margin:0 0 .5rem}
    .scroll{overflow:auto;overscroll-behavior-x:contain}
    .table .scroll{max-height:80vh;width:fit-content;max-width:100%;border:solid var(--line);border-width:1px 0}
    table{border-collapse:separate;border-spacing:0;font-size:.875rem;line-height:1.4;overflow-wrap:normal}
    th,td{padding:.35rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);
      max-width:24rem}
    tbody th{font-weight:400;overflow-wrap:anywhere;min-width:4rem;position:sticky;left:0;z-index:1;
      background-color:var(--ground)}
    td{overflow-wrap:break-word}
    tbody tr:last-child>*{border-bottom:0}
    thead th{position:sticky;top:0;z-index:2;background:var(--panel);font-weight:600;vertical-align:bottom}
    thead th:first-child{left:0;z-index:3}
    .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    tbody tr:hover>*{background-color:var(--panel)}
    tr:target>*{background-color:var(--mark)}
    .bar{background-image:linear-gradient(to right,var(--bar) calc(var(--b)*100%),transparent 0);
      background-size:100% calc(100% - 4px);background-position:0 2px;background-repeat:no-repeat;min-width:6rem}
    tbody .shade,tbody tr:hover>.shade{background-color:rgb(var(--heat)/var(--s))}
    .shade a{color:inherit}
    thead button{all:unset;box-sizing:border-box;cursor:pointer;display:block;width:100%}
    thead button:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
    th:not(.n) button::after,.n button::before{content:"\\a0↕\\a0";content:"\\a0↕\\a0"/"";color:var(--soft);font-weight:400}
    [aria-sort=ascending]:not(.n) button::after,.n[aria-sort=ascending] button::before{
      content:"\\a0↑\\a0";content:"\\a0↑\\a0"/"";color:var(--accent);font-weight:700}
    [aria-sort=descending]:not(.n) button::after,.n[aria-sort=descending] button::before{
      content:"\\a0↓\\a0";content:"\\a0↓\\a0"/"";color:var(--accent);font-weight:700}
    .tools{display:flex;flex-wrap:wrap;gap:.35rem 1rem;align-items:baseline;margin:0 0 .5rem;font-size:.875rem}
    .tools label{display:flex;gap:.5rem;align-items:baseline;flex:0 1 auto}
    .tools input{font:inherit;color:inherit;background:var(--ground);border:1px solid var(--soft);border-radius:4px;
      padding:.25rem .5rem;width:14rem;min-width:0}
    .count{margin:0;font-variant-numeric:tabular-nums}
    .more{font:inherit;font-size:.875rem;color:var(--accent);background:none;border:1px solid var(--line);
      border-radius:4px;padding:.3rem .9rem;margin:.6rem 0 0;cursor:pointer}
    .more:hover{border-color:var(--accent)}
    .key{font-size:.875rem;margin:.5rem 0 0}
    [hidden]{display:none!important}
    """

  private static let pictures = """
    figure{margin:0 0 1.75rem}
    figure svg{display:block;width:100%;height:auto;max-width:min(var(--natural),46rem)}
    .wide svg{max-width:var(--natural)}
    .scroll svg{min-width:calc(var(--natural)*.7)}
    figcaption{color:var(--soft);font-size:.9rem;max-width:44rem;margin-top:.6rem}
    svg a:hover{opacity:.7}
    .gallery{list-style:none;margin:0 0 1.75rem;padding:0;max-width:none;display:grid;gap:1.25rem 1rem;
      grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr))}
    .gallery li{min-width:0;font-size:.85rem;line-height:1.4}
    .gallery img{display:block;max-width:100%;height:auto;image-rendering:pixelated;border:1px solid var(--line)}
    .gallery p{margin:.4rem 0 .1rem;font-weight:600}
    .gallery dl{margin:0}
    .gallery dl div{display:flex;flex-wrap:wrap;gap:0 .4rem}
    """

  private static let wide = """
    @media screen and (min-width:64rem){
      .columns{display:grid;grid-template-columns:14rem minmax(0,1fr);gap:0 3rem}
      nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;border:0;padding:2.1rem .25rem}
      nav ol{columns:auto}
      nav li{padding:.28rem 0 .28rem .75rem;border-left:2px solid var(--line);line-height:1.35}
      nav li:has([aria-current]){border-color:var(--accent)}
      nav a{color:var(--ink)}
      nav a[aria-current]{color:var(--accent);font-weight:600}
      .up{display:none}
    }
    @media (max-width:30rem){
      body{padding:0 1rem}
      header{padding-top:1.5rem}
      h1{font-size:1.5rem}
      .facts div{grid-template-columns:1fr}
      .facts div+div{margin-top:.4rem}
      th,td{padding:.35rem .5rem}
      tbody th{max-width:8.5rem}
      .bar{min-width:4.5rem}
    }
    @media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
    """

  private static let print = """
    @media print{
      @page{margin:18mm 16mm}
      html{font-size:10pt}
      body{max-width:none;padding:0}
      .skip,.tools label,.more,.up{display:none!important}
      thead button::before,thead button::after{content:none!important}
      .table .scroll,.scroll{max-height:none;overflow:visible}
      thead th,tbody th{position:static}
      thead{display:table-header-group}
      a{color:inherit;text-decoration:underline}
      h2,h3,.note,.caption,.tools,summary{break-after:avoid}
      .facts{display:block}
      figure,tr,.short .scroll,.facts div,.gallery li,.summary li{break-inside:avoid}
      .scroll svg{min-width:0}
      figure svg{max-height:18cm}
      details::details-content{content-visibility:visible;block-size:auto}
      .bar,.shade,svg,.sign{-webkit-print-color-adjust:exact;print-color-adjust:exact}
    }
    """
}
