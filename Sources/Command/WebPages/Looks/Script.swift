/// What scripts add to a page: sorting, finding, showing part of a table; nothing that a page lacks without.
enum Script {
  /// The whole script.
  static let text = """
    (function(){
    "use strict";
    \(tables)
    \(places)
    \(printing)
    })();

    """

  /// Each table keeps its rows in their first order, and shows those that match, sorted, up to a limit.
  private static let tables = """
    var tables=new Map();
    function make(tag,name,text){
      var element=document.createElement(tag);
      if(name)element.className=name;
      if(text)element.textContent=text;
      return element;
    }
    function enhance(box){
      var table=box.querySelector("table"),body=table.tBodies[0];
      var heads=Array.from(table.tHead.rows[0].cells);
      var rows=Array.from(body.rows),limit=Number(box.dataset.shown);
      var state={column:-1,direction:0,words:[],all:rows.length<=limit};
      var count=make("p","count"),more=make("button","more");
      count.setAttribute("role","status");
      more.type="button";
      function key(row,isNumber){
        var cell=row.cells[state.column];
        if(!isNumber)return cell.textContent;
        return "v" in cell.dataset?Number(cell.dataset.v):NaN;
      }
      function order(list){
        if(!state.direction)return list;
        var isNumber=heads[state.column].classList.contains("n");
        return list.map(function(row){return {row:row,key:key(row,isNumber)};}).sort(function(a,b){
          if(!isNumber)return state.direction*a.key.localeCompare(b.key,undefined,{numeric:true});
          if(isNaN(a.key)||isNaN(b.key))return isNaN(a.key)-isNaN(b.key);
          return a.key===b.key?0:state.direction*(a.key>b.key?1:-1);
        }).map(function(pair){return pair.row;});
      }
      function render(){
        var matching=rows.filter(function(row){
          var text=row.textContent.toLowerCase();
          return state.words.every(function(word){return text.includes(word);});
        });
        var sorted=order(matching),visible=state.all?sorted.length:Math.min(limit,sorted.length);
        var fragment=document.createDocumentFragment();
        rows.forEach(function(row){row.hidden=true;});
        sorted.forEach(function(row,k){row.hidden=k>=visible;fragment.append(row);});
        body.append(fragment);
        var text=state.words.length?matching.length+" of "+rows.length+" rows match":rows.length+" rows";
        count.textContent=visible===matching.length?text:text+", "+visible+" shown";
        more.hidden=matching.length<=limit;
        more.textContent=state.all?"Show "+limit+" rows":"Show all "+matching.length+" rows";
        heads.forEach(function(head,k){
          if(k===state.column&&state.direction)
            head.setAttribute("aria-sort",state.direction>0?"ascending":"descending");
          else head.removeAttribute("aria-sort");
        });
      }
      if(table.dataset.sortable&&rows.length>1)heads.forEach(function(head,k){
        var button=make("button","",head.textContent),first=head.classList.contains("n")?-1:1;
        button.type="button";
        button.addEventListener("click",function(){
          if(state.column!==k){state.column=k;state.direction=first;}
          else if(state.direction===first)state.direction=-first;
          else{state.column=-1;state.direction=0;}
          render();
        });
        head.replaceChildren(button);
      });
      if(rows.length>10){
        var tools=make("div","tools"),label=make("label","","Filter"),field=make("input");
        field.type="search";
        field.setAttribute("aria-label","Filter: "+box.querySelector(".caption").textContent);
        field.addEventListener("input",function(){
          state.words=field.value.toLowerCase().split(/\\s+/).filter(Boolean);
          render();
        });
        label.append(field);
        tools.append(label,count);
        box.querySelector(".scroll").before(tools);
      }
      more.addEventListener("click",function(){state.all=!state.all;render();});
      box.querySelector(".scroll").after(more);
      if(rows.length>limit||rows.length>10)render();else more.hidden=true;
      tables.set(table,function(){
        state.all=true;state.words=[];
        if(field)field.value="";
        render();
      });
    }
    document.querySelectorAll("div.table").forEach(enhance);
    """

  /// A link shows its place, though it be folded or left out; the list of contents marks the section that is read.
  private static let places = """
    function reveal(){
      var place=document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if(!place)return;
      for(var e=place;e;e=e.parentElement)if(e.tagName==="DETAILS")e.open=true;
      if(place.hidden)tables.get(place.closest("table"))();
      place.scrollIntoView({block:place.tagName==="TR"?"center":"start"});
    }
    addEventListener("hashchange",reveal);
    document.addEventListener("click",function(event){
      var link=event.target.closest("a[href^='#']");
      if(link&&link.getAttribute("href")===location.hash)reveal();
    });
    if(location.hash)reveal();
    var links=Array.from(document.querySelectorAll("nav a")),seen=new Set();
    if("IntersectionObserver" in window){
      var observer=new IntersectionObserver(function(entries){
        entries.forEach(function(entry){
          if(entry.isIntersecting)seen.add(entry.target.id);else seen.delete(entry.target.id);
        });
        var current=links.find(function(link){return seen.has(link.hash.slice(1));});
        links.forEach(function(link){
          if(link===current)link.setAttribute("aria-current","true");else link.removeAttribute("aria-current");
        });
      },{rootMargin:"-5% 0px -70% 0px"});
      document.querySelectorAll("main>section[id]").forEach(function(section){observer.observe(section);});
    }
    """

  /// Print unfolds what is folded.
  private static let printing = """
    var folded=[];
    addEventListener("beforeprint",function(){
      folded=Array.from(document.querySelectorAll("details:not([open])"));
      folded.forEach(function(details){details.open=true;});
    });
    addEventListener("afterprint",function(){folded.forEach(function(details){details.open=false;});});
    """
}
