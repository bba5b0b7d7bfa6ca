"""What templates may hold, and what is told of everything else. Nothing here touches a store."""

import string
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from promograph.domain.people.customers import Customer
from promograph.domain.refusals import Refusal, RefusalCode, refuse
from promograph.domain.sending.messages import (
    LONGEST_RENDERED,
    CodeAct,
    CodeAsk,
    MessageCode,
    MessageContent,
    MessagePart,
    TemplateFault,
)
from promograph.templates.rendering import Codes, MessageTemplate, read_content
from promograph.templates.values import CannotRender

NOW = datetime(2027, 3, 1, tzinfo=UTC)
ATTRIBUTES: dict[str, Any] = {
    "name": "Ada <b>",
    "likes": ("tea", "milk"),
    "points": 120,
    "share": Decimal("0.1"),
    "born": date(1990, 12, 15),
    "vip": True,
    "long": "ß" * 500,
    "wide": tuple("ß" * 50 for _ in range(100)),
    "home-town": "Lyon",
}
ADA = Customer(id="ada", email="ada@example.com", attributes=ATTRIBUTES, created_at=NOW, updated_at=NOW)
OWN, LAST, OTHER = CodeAsk("own", CodeAct.ISSUE), CodeAsk("own", CodeAct.REPEAT), CodeAsk("g", CodeAct.ISSUE)
GIVEN: Codes = {ask: MessageCode(f"C{place}", NOW) for place, ask in enumerate((OWN, LAST, OTHER))}
NONE: Codes = dict.fromkeys((OWN, LAST, OTHER), refuse(RefusalCode.POOL_EMPTY))


def made(source: str, *, part: str = "text") -> MessageTemplate:
    read = read_content(MessageContent(**{part: source}))
    assert read.problems == ()
    handles = {ask.promotion: ask.promotion or "own" for ask in read.asks}
    return MessageTemplate(read, constants={}, handles=handles)


def rendered(source: str, codes: Codes = GIVEN, *, part: str = "text") -> str:
    return str(getattr(made(source, part=part).render(ADA, codes), part))


@pytest.mark.parametrize("pattern", ["dd.mm.yyyy", "%d.%m.%Y", "D.M.YYYY", "DD. MMM YYYY", "DD.mm.YYYY", "day", ""])
def test_a_day_s_pattern_that_would_stand_in_the_message_is_told(pattern: str) -> None:
    source = f"{{{{ client.attributes.born | date('{pattern}') }}}}"
    assert faults(source) == {TemplateFault.NOT_ALLOWED}


def faults(source: str, *, part: str = "html") -> set[TemplateFault]:
    return {problem.fault for problem in read_content(MessageContent(**{part: source})).problems}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "{{ client.id }} {{ customer.email }} {{ client['email'] }}{{ client.phone }}",
            "ada ada@example.com ada@example.com",
        ),
        ("{{ client.attributes['home-town'] }}", "Lyon"),
        ("{{ client.attributes.likes }} {{ client.attributes.likes | join('+') }}", "tea, milk tea+milk"),
        ("{{ client.attributes.likes | first }} {{ client.attributes.likes | length }}", "tea 2"),
        ("{{ client.attributes.born | date('DD/MM/YY') }} {{ client.attributes.born | date }}", "15/12/90 1990-12-15"),
        ("{{ client.attributes.born | date('Day DD y MM, YYYYMMDD') }}", "Day 15 y 12, 19901215"),
        ("{{ client.attributes.nothing | default('x') }}{{ client.attributes.nothing }}", "x"),
        ("{{ client.attributes.points > 100 }} {{ client.attributes.points > '1' }}", "yes no"),
        ("{{ client.attributes.share == 0.1 }} {{ client.attributes.nothing < 1 }}", "yes no"),
        ("{{ 'tea' in client.attributes.likes }} {{ 'ea' in 'tea' }} {{ 1 in ('1', 1) }}", "yes yes yes"),
        ("{{ client.attributes.vip == 1 }} {{ client.attributes.vip }}", "no yes"),
        ("{{ 'a' ~ client.attributes.points ~ -1 }}", "a120-1"),
        ("{{ 'a b&c' | urlencode }} {{ ' x ' | trim | upper | lower | title | capitalize }}", "a%20b%26c X"),
        ("{% for x in client.attributes.likes %}{{ x }};{% else %}-{% endfor %}", "tea;milk;"),
        ("{% for x in client.attributes.name %}{{ x }};{% endfor %}", "Ada <b>;"),
        ("{% if not client.phone %}A{% elif client.id %}B{% endif %}{{ 'x' if client.phone }}", "A"),
        ("a\r\nb{# nothing #}\n", "a\nb\n"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ],
)
def test_values(source: str, expected: str) -> None:
    assert rendered(source) == expected


def test_what_is_filled_into_html_is_escaped_and_what_the_author_wrote_is_not() -> None:
    html = "<i>{{ client.attributes.name }}</i> *|PROMOCODE:<b>none</b>|* {{ promocode | default('<b>') }}"
    assert rendered(html, NONE, part="html") == "<i>Ada &lt;b&gt;</i> <b>none</b> &lt;b&gt;"
    assert rendered("{{ '<' ~ client.attributes.name }}", part="html") == "&lt;Ada &lt;b&gt;"
    assert rendered("{{ client.attributes.name }}") == "Ada <b>"


def test_an_editor_may_write_quotes_as_entities() -> None:
    assert rendered("{{&nbsp;client.promocode(&#39;g&#39;) | default(&quot;&lt;&quot;) }}", part="html") == "C2"


def test_a_subject_is_one_line() -> None:
    customer = Customer(id="x", attributes={"name": "A\r\nBcc: all@x.example"}, created_at=NOW, updated_at=NOW)
    template = made("Hi {{ client.attributes.name }}\n", part="subject")
    assert template.render(customer, {}).subject == "Hi A Bcc: all@x.example"


def test_a_code_is_asked_for_once_for_all_parts() -> None:
    read = read_content(
        MessageContent(subject="{{ promocode }}", text="*|PROMOCODE|*", html="{{ promocode.expires_at }}")
    )
    assert read.asks == (CodeAsk("", CodeAct.ISSUE),)
    message = MessageTemplate(read, constants={}, handles={"": "own"}).render(ADA, GIVEN)
    assert (message.subject, message.text, message.html, message.codes) == ("C0", "C0", "2027-03-01", ("C0",))


def test_only_what_a_message_comes_to_is_asked_for() -> None:
    either = made(
        "{% if client.attributes.points > 100 %}{{ promocode }}{% else %}{{ client.promocode('g') }}{% endif %}"
    )
    assert either.wanted(ADA, {}) == {OWN}
    instead = made("{{ last_promocode | default(client.promocode('g')) }}")
    assert instead.wanted(ADA, {}) == {LAST}
    assert instead.wanted(ADA, {LAST: MessageCode("L")}) == set()
    assert instead.wanted(ADA, {LAST: refuse(RefusalCode.NOTHING_HELD)}) == {OTHER}
    assert instead.render(ADA, {LAST: refuse(RefusalCode.NOTHING_HELD), OTHER: MessageCode("N")}).codes == ("N",)
    both = made("{{ promocode }} {{ client.promocode('g') }}")
    assert both.wanted(ADA, {}) == {OWN, OTHER}


def test_no_code_is_used_up_for_a_message_that_cannot_be_had() -> None:
    template = made("{{ promocode }}{% if client.id %}{{ client.promocode('g') }}{% endif %}")
    assert template.wanted(ADA, {OWN: refuse(RefusalCode.POOL_EMPTY)}) == set()


@pytest.mark.parametrize(
    "source",
    [
        "{{ promocode }}",
        "[iai:promotional_code(g)]",
        "*|LAST_PROMOCODE|*",
        "{{ promocode | upper }}",
        "{{ 'a' ~ promocode }}",
    ],
)
def test_a_code_that_is_missing_and_has_no_other_text_is_told(source: str) -> None:
    with pytest.raises(CannotRender) as problem:
        rendered(source, NONE)
    assert problem.value.refusal == Refusal(RefusalCode.POOL_EMPTY)


@pytest.mark.parametrize(
    ("source", "line", "fault", "words"),
    [
        ("a\n{{ clinet.email }}", 2, "UNKNOWN_NAME", "did you mean client"),
        ("\n\n{{ client.emial }}", 3, "UNKNOWN_NAME", "client.email"),
        ("{{ client.city }}", 1, "UNKNOWN_NAME", "client.attributes.city"),
        ("{{ client.email | shout }}", 1, "UNKNOWN_NAME", "upper"),
        ("{{ client.promocode() }}", 1, "UNKNOWN_NAME", "in quotes"),
        ("{{ client.promocode(spring) }}", 1, "NOT_ALLOWED", "in quotes"),
        ("{{ client.attributes.home-town }}", 1, "NOT_ALLOWED", "['home-town']"),
        ("{{ client.promocode(\u2018g\u2019) }}", 1, "SYNTAX", "straight quotes"),
        ("a\n[iai:promotional_code(g)", 2, "SYNTAX", "does not end"),
        ("[iai:promotion(g)]", 1, "SYNTAX", "iai:promotional_code"),
        ("a\n\n*|FNAME|*", 3, "SYNTAX", "client.email"),
        ("{% if client.email %}", 1, "SYNTAX", "endif"),
        ("{{ client.email", 1, "SYNTAX", "tag"),
        ("{% set a = 1 %}", 1, "NOT_ALLOWED", "for"),
        ("{% for a in 'abc' %}{% endfor %}", 1, "NOT_ALLOWED", "client.attributes"),
    ],
)
def test_problems_name_their_line_and_what_would_mend_them(source: str, line: int, fault: str, words: str) -> None:
    (problem,) = read_content(MessageContent(text=source)).problems
    assert (problem.part, problem.line, problem.fault) == (MessagePart.TEXT, line, fault)
    assert words in problem.message


def test_all_problems_are_told_at_once() -> None:
    read = read_content(MessageContent(subject="{{ a }}", text="{{ b }}{{ c }}", html="{% if d %}{{ e }}{% endif %}"))
    assert len(read.problems) == 4  # what stands inside a condition that is not understood waits for it


HOSTILE = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ client.__class__ }}",
    "{{ client.attributes.__class__.__init__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ config }}{{ request }}{{ namespace() }}",
    "{{ ''|attr('__class__') }}",
    "{{ ['a']|map('attr', '__class__')|list }}",
    "{{ '{0.__class__}'.format(client) }}",
    "{{ ('%1000000000d' % 1) }}",
    "{{ 'x' * 10**9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ range(10**9) | list }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ client.email.replace('a', 'b') }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% extends 'base' %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% call m() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% block a %}{{ super() }}{% endblock %}",
    "{% with a = 1 %}{{ a }}{% endwith %}",
    "{% autoescape false %}{{ client.email }}{% endautoescape %}",
    "{{ client.email | safe }}",
    "{{ client.email | center(1000000000) }}",
    "{{ client.promocode('g').__class__ }}",
    "{{ client['__class__'] }}",
    "{{ promotion.properties['a'].__class__ }}",
    "{{ client.promocode(*['g']) }}{{ client.promocode(x='g') }}",
    "{{ codes }}{{ f_0 }}{{ l_x }}",
    "{{ client.email | code(0) }}{{ client.email | compare('eq', 1) }}",
    "{{ {'a': 1} }}{{ [1, 2][0] }}{{ 'abc'[::1000] }}",
    "{{ '\\ud800' }}",
    "{{ 1e999 }}{{ " + "9" * 40 + " }}",
    "{{ " + "9" * 5_000 + " }}",
    "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "{{ " + "not " * 5_000 + "1 }}",
    "{{ " + "[" * 500 + "]" * 500 + " }}",
    "{{ 1 " + "if 1 else 1 " * 3_000 + "}}",
    "{{ 'a'" + " | upper" * 100 + " }}",
    "{% if 1 %}" * 30 + "x" + "{% endif %}" * 30,
    "{% for a in client.attributes.likes %}{% for b in client.attributes.likes %}x{% endfor %}{% endfor %}",
    "{% for a in client.attributes.likes recursive %}{{ loop(a) }}{% endfor %}",
    "{% for a in client.attributes.likes %}" + "{{ a }}" * 300 + "{% endfor %}",
    "{{ client.email }}" * 15_000,
    "{{ client.id }}" + "{% for a in client.attributes.likes %}{{ a | join(a | join(a)) }}{% endfor %}" * 100,
]


@pytest.mark.parametrize("source", HOSTILE, ids=lambda source: source[:40])
def test_hostile_templates_are_turned_down_when_they_are_read(source: str) -> None:
    assert faults(source) and faults(source, part="text")


@pytest.mark.parametrize(
    "source",
    [
        "{{ client.attributes.wide | join(client.attributes.wide) }}",
        "{{ client.attributes.wide ~ client.attributes.wide ~ client.attributes.wide }}",
        "{{ client.attributes.wide | join(', ') | urlencode }}",
        "{% for a in client.attributes.wide %}{{ client.attributes.wide }}{% endfor %}" * 3,
    ],
)
def test_a_message_that_becomes_too_long_is_given_up(source: str) -> None:
    with pytest.raises(CannotRender, match="longer than"):
        rendered(source)


_VALUES = st.recursive(
    st.sampled_from(
        [
            "client.email",
            "client.phone",
            "promocode",
            "last_promocode",
            "promocode.expires_at",
            "client.promocode('g')",
            "'text'",
            "1",
            "1.5",
            "none",
            "true",
            "(1, 'a')",
            *(f"client.attributes['{name}']" for name in (*ATTRIBUTES, "no")),
        ]
    ),
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["==", "!=", "<", ">=", "in", "not in", "and", "or", "~"]),
            inner,
        ),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(not {})".format, inner),
        st.builds(
            "({} | {})".format,
            inner,
            st.sampled_from(
                [
                    "upper",
                    "lower",
                    "title",
                    "trim",
                    "capitalize",
                    "first",
                    "last",
                    "length",
                    "join",
                    "date",
                    "urlencode",
                    "default",
                ]
            ),
        ),
        st.builds("({} | {}({}))".format, inner, st.sampled_from(["default", "join"]), inner),
        st.builds("({} | date({}))".format, inner, st.sampled_from(["'DD.MM.YY'", "client.email", "promocode"])),
    ),
    max_leaves=12,
)
_BLOCKS = st.one_of(
    st.builds("{{{{ {} }}}}".format, _VALUES),
    st.builds("{{% if {} %}}a{{% else %}}{{{{ {} }}}}{{% endif %}}".format, _VALUES, _VALUES),
    st.builds("{{% for one in client.attributes.wide %}}{{{{ one ~ {} }}}}{{% endfor %}}".format, _VALUES),
    st.sampled_from(["[iai:promotional_code(g)]", "*|PROMOCODE:x|*", "<b>&amp;</b>\n"]),
)


@given(
    st.lists(_BLOCKS, max_size=4).map("".join),
    st.sampled_from([GIVEN, NONE, {}]),
    st.sampled_from(["text", "html", "subject"]),
)
def test_rendering_raises_nothing_else_and_is_bounded(source: str, codes: Codes, part: str) -> None:
    read = read_content(MessageContent(**{part: source}))
    assert {problem.fault for problem in read.problems} <= {TemplateFault.TOO_LARGE}
    if read.problems:
        return
    template = MessageTemplate(read, constants={}, handles={ask.promotion: ask.promotion or "own" for ask in read.asks})
    known = dict(codes)
    while wanted := template.wanted(ADA, known):
        known |= {ask: MessageCode("LATER") for ask in wanted}
    try:
        message = template.render(ADA, known)
    except CannotRender:
        return
    text = getattr(message, part)
    assert len(text) <= LONGEST_RENDERED[MessagePart(part.upper())]
    assert "PENDING" not in text
    assert message == template.render(ADA, known)


@given(st.text(alphabet=st.sampled_from(string.printable + "{}%#|'\"" * 5 + "ßя"), max_size=60))
@example("{%")
@example("{{ '\\d\\N{x}' }}")
def test_reading_raises_nothing_whatever_is_written(source: str) -> None:
    for text in (source, "{{" + source + "}}", "{%" + source + "%}"):
        for part in ("text", "html"):
            read = read_content(MessageContent(**{part: text}))
            assert read.problems or read.templates
