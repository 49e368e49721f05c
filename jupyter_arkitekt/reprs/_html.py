"""Faces as HTML: one piece, no script, no address, everything from outside escaped.

Colours come from the host: text inherits, lines and plates are made of a grey that is right on light and on dark.
Where a host strips the style, what is left is a picture and a plain table.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from jupyter_arkitekt.reprs import _words as words
from jupyter_arkitekt.reprs._facts import ChannelFacts, ImageFacts
from jupyter_arkitekt.reprs._text import MOST_ROWS

_STYLE = """<style>
.arkitekt-face{display:flex;flex-wrap:wrap;gap:14px 20px;align-items:flex-start;max-width:860px;margin:4px 0;
font:13px/1.5 var(--jp-ui-font-family,var(--pst-font-family-base,system-ui,sans-serif));
color:var(--jp-content-font-color1,var(--pst-color-text-base,inherit))}
.arkitekt-face *{box-sizing:border-box}
.arkitekt-face figure{margin:0;flex:0 1 auto;max-width:100%}
.arkitekt-face img{display:block;max-width:100%;max-height:384px;width:auto;height:auto;border-radius:4px;
image-rendering:auto;border:1px solid var(--jp-border-color2,rgba(128,128,128,.35))}
.arkitekt-face figcaption,.arkitekt-face .ark-quiet{font-size:11.5px;line-height:1.45;
color:var(--jp-content-font-color2,var(--pst-color-text-muted,inherit))}
.arkitekt-face figcaption{margin-top:5px;max-width:min(384px,100%)}
.arkitekt-face .ark-none{display:flex;align-items:center;justify-content:center;text-align:center;width:256px;max-width:100%;
min-height:120px;padding:12px;border-radius:4px;border:1px dashed rgba(128,128,128,.6);font-size:11.5px}
.arkitekt-face .ark-told{flex:1 1 300px;min-width:min(280px,100%)}
.arkitekt-face .ark-name{font-size:15px;font-weight:600;overflow-wrap:anywhere;margin:0 0 6px}
.arkitekt-face .ark-name span{font-weight:400;font-size:12px;margin-left:6px;white-space:nowrap;
color:var(--jp-content-font-color2,var(--pst-color-text-muted,inherit))}
.arkitekt-face.arkitekt-face table{table-layout:auto;border-collapse:collapse;border:0;margin:0;width:100%;font-size:12.5px;
background:none;color:inherit}
.arkitekt-face.arkitekt-face th,.arkitekt-face.arkitekt-face td{border:0;
border-top:1px solid var(--jp-border-color2,rgba(128,128,128,.25));
padding:4px 8px 4px 0;text-align:left;vertical-align:top;background:none;overflow-wrap:anywhere;color:inherit}
.arkitekt-face tr{background:none!important}
.arkitekt-face.arkitekt-face th{font-weight:400;width:96px;min-width:84px;
color:var(--jp-content-font-color2,var(--pst-color-text-muted,inherit))}
.arkitekt-face .ark-swatch{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px;
border:1px solid rgba(128,128,128,.6);vertical-align:-1px}
.arkitekt-face.arkitekt-face ul{list-style:none;margin:0;padding:0}
.arkitekt-face li{margin:0}
.arkitekt-face.ark-list{display:block}
.arkitekt-face.ark-list .ark-scroll{overflow-x:auto}
.arkitekt-face.ark-list thead th{border-top:0;width:auto;white-space:nowrap}
.arkitekt-face.ark-list td{white-space:nowrap}
.arkitekt-face.ark-list td.ark-wide{white-space:normal;min-width:130px}
.arkitekt-face.ark-list img{width:48px;height:48px;object-fit:cover}
</style>"""


def image_html(facts: ImageFacts) -> str:
    """Tell all facts of an image, with its picture, the same as its text."""
    name = escape(words.plain(facts.name))
    rows = [f"<tr><th scope='row'>{label}</th><td>{escape(value)}</td></tr>" for label, value in words.rows(facts)]
    if facts.channels:
        rows.append(f"<tr><th scope='row'>Channels</th><td>{_channels(facts.channels)}</td></tr>")
    return (
        f"{_STYLE}<div class='arkitekt-face'>{_figure(facts)}<div class='ark-told'>"
        f"<p class='ark-name'><b>{name}</b> <span>image {escape(words.plain(facts.id))}</span></p>"
        f"<table><tbody>{''.join(rows)}</tbody></table></div></div>"
    )


def _figure(facts: ImageFacts) -> str:
    picture = facts.picture
    if picture is None:
        if not facts.no_picture:
            return ""
        return f"<div class='ark-none ark-quiet'>No picture: {escape(words.plain(facts.no_picture))}</div>"
    source = base64.b64encode(picture.png).decode("ascii")
    caption = "<br>".join(escape(part) for part in (words.shown(facts), words.read(facts)) if part)
    return (
        f"<figure><img src='data:image/png;base64,{source}' alt='{escape(words.alt(facts))}' "
        f"width='{picture.width}' height='{picture.height}'><figcaption>{caption}</figcaption></figure>"
    )


def _channels(channels: Sequence[ChannelFacts]) -> str:
    items = [
        f"<li>{_swatch(channel)}{escape(words.channel(channel))}{_colour(channel)}</li>"
        for channel in channels[: words.MOST]
    ]
    if len(channels) > words.MOST:
        items.append(f"<li>{words.more(len(channels) - words.MOST, 'channel')}</li>")
    return f"<ul>{''.join(items)}</ul>"


def _swatch(channel: ChannelFacts) -> str:
    if channel.colour is None:
        return ""
    red, green, blue = channel.colour
    return f"<span class='ark-swatch' style='background:rgb({red},{green},{blue})' aria-hidden='true'></span>"


def _colour(channel: ChannelFacts) -> str:
    return f" <span class='ark-quiet'>{escape(words.plain(channel.colour_name))}</span>" if channel.colour_name else ""


def images_html(images: Sequence[ImageFacts]) -> str:
    """Tell a list of images as a table; pictures only where they are at hand."""
    if not images:
        return f"{_STYLE}<div class='arkitekt-face ark-list'>No images</div>"
    seen = images[:MOST_ROWS]
    pictures = any(facts.picture is not None for facts in seen)
    heads = (["Picture"] if pictures else []) + ["Id", "Name", "Size", "Data", "Dataset"]
    body = "".join(_row(facts, pictures) for facts in seen)
    left = len(images) - len(seen)
    rest = f"<p class='ark-quiet'>{words.more(left, 'image')}</p>" if left else ""
    head = "".join(f"<th scope='col'>{name}</th>" for name in heads)
    return (
        f"{_STYLE}<div class='arkitekt-face ark-list'><p class='ark-name'>{words.counted('image', len(images))}</p>"
        f"<div class='ark-scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>{rest}</div>"
    )


def _row(facts: ImageFacts, pictures: bool) -> str:
    cells = []
    if pictures:
        picture = facts.picture
        source = "" if picture is None else base64.b64encode(picture.png).decode("ascii")
        cells.append(
            f"<td><img src='data:image/png;base64,{source}' alt='{escape(words.alt(facts))}' width='48' height='48'></td>"
            if source
            else "<td></td>"
        )
    cells.append(f"<td>{escape(words.plain(facts.id))}</td>")
    cells += [
        f"<td class='ark-wide'>{escape(words.plain(facts.name))}</td>",
        f"<td>{escape(words.sizes(facts))}</td>",
        f"<td>{escape(words.data(facts))}</td>",
        f"<td class='ark-wide'>{escape(words.plain(facts.dataset or ''))}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"
