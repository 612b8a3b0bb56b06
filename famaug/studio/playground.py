"""The playground: a face, an expression by hand, drawn or from a clip, and what makes it again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from famaug.errors import InputError
from famaug.media.pictures import MAX_BYTES
from famaug.pipeline.inputs import Driver
from famaug.report.difference import difference_picture, fitting_gain
from famaug.studio import layout
from famaug.studio.desk import FoundFace, Measured
from famaug.studio.incoming import clip_of
from famaug.studio.moving import address, jpeg, packed_clip, webp
from famaug.studio.server import SAMPLE, Studio
from famaug.studio.sliders import Sliders
from famaug.studio.toolkit import ui
from famaug.studio.wish import Wish, command_line, python_text, units_text
from famaug.types import Frames, Picture, Plan

PICTURES = ".png,.jpg,.jpeg,.bmp,.webp,.tif,.tiff"
FILMS = ".mp4,.avi,.mov,.mkv,.webm,.m4v,.mpg"
DRAWN = (
    "rule:positive", "rule:negative", "rule:surprise", "rule:happiness", "rule:sadness",
    "rule:fear", "rule:anger", "rule:disgust", "rule:contempt", "stats:positive",
    "stats:negative", "stats:surprise",
)  # fmt: skip
AT_REST, CHANGE = "at rest", "what changed, amplified; grey is unchanged"
HAND, RULE, CLIP = "By hand", "Drawn", "From a clip"


class Playground:
    """One visitor's page. What was uploaded is seen here alone."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.face: FoundFace | None = None
        self.face_named = self.clip_named = ""  # as a command would
        self.measured: Measured | None = None
        self.sliders = Sliders(self._follow)
        self.at: float | None = None
        self.drawn: tuple[Wish, FoundFace, Plan] | None = None
        self.rest = ""  # the face at rest, as a page shows it
        self._asked, self._busy = False, False

    # -- WHAT IS SEEN ---------------------------------------------------------------------------

    def build(self) -> None:
        with layout.page("/"):
            self.said = layout.Said()
            with ui.element("div").classes("two"):
                with ui.element("div").classes("stack"):
                    self._face_card()
                    self._expression_card()
                    self._course_card()
                with ui.element("div").classes("stack sticky right"):
                    self._picture_card()
                    self._again_card()
        ui.timer(0.05, self._first, once=True)

    def _face_card(self) -> None:
        with ui.element("div").classes("card"):
            ui.html("<h2>1. Face</h2>", sanitize=False)
            names = [*self.studio.library.faces]
            self.faces = ui.select(
                names, value=None, label="a face that is here", on_change=self._pick_face
            ).classes("w-full")
            self.faces.props("options-dense").props('data-mark="faces"')
            self.upload = layout.uploads(
                "or a picture of your own (it stays on this machine)",
                PICTURES,
                "face-upload",
                self._take_face,
                MAX_BYTES >> 20,
            )
            self.own = ui.label().classes("muted").props('data-mark="own"')

    def _expression_card(self) -> None:
        with ui.element("div").classes("card"):
            ui.html("<h2>2. Expression</h2>", sanitize=False)
            self.way = ui.toggle([HAND, RULE, CLIP], value=HAND, on_change=self._changed)
            self.way.props("no-caps unelevated padding='4px 12px'").classes("q-my-sm").props(
                'data-mark="way"'
            )
            with (
                ui.column()
                .classes("w-full gap-0")
                .bind_visibility_from(self.way, "value", value=HAND)
            ):
                self.sliders.build()
            with ui.column().classes("w-full").bind_visibility_from(self.way, "value", value=RULE):
                self._rule()
            with ui.column().classes("w-full").bind_visibility_from(self.way, "value", value=CLIP):
                self._clip()

    def _rule(self) -> None:
        ui.label(
            "rule: as FACS experts expect an emotion to look. stats: AUs as often as annotators "
            "saw them together. Another seed draws another expression."
        ).classes("muted")
        self.rule = ui.select([*DRAWN], value=DRAWN[0], on_change=self._changed).classes("w-full")
        self.seed = ui.number("seed", value=0, min=0, step=1, on_change=self._changed).props(
            'data-mark="seed"'
        )

    def _clip(self) -> None:
        ui.label(
            "A video of a face, from its neutral face (onset) on: what it shows is measured, "
            "cleaned and shown on the other face. Measuring takes some seconds."
        ).classes("muted")
        clips = {"": "the sample clip (a smile)"} | {n: n for n in self.studio.library.clips}
        self.clips = ui.select(clips, value=None, label="a clip that is here", on_change=self._pick)
        self.clips.classes("w-full").props('data-mark="clips"')
        layout.uploads(
            "or a video of your own", FILMS, "clip-upload", self._take_clip, layout.MOST_FILM_MB
        )
        self.strongest = ui.number(
            "scale so that the strongest AU reaches (empty: as it is)",
            value=1.5, min=0.1, max=5, step=0.1, on_change=self._changed,
        ).classes("w-full")  # fmt: skip

    def _course_card(self) -> None:
        with ui.element("div").classes("card"):
            ui.html("<h2>3. Course and rendering</h2>", sanitize=False)
            with (
                ui.column()
                .classes("w-full gap-0")
                .bind_visibility_from(self.way, "value", backward=lambda way: way != CLIP)
            ):
                self.rise = self._number_slider("onset to apex (ms)", 20, 1000, 150)
                self.fall = self._number_slider("apex to offset (ms)", 20, 1000, 200)
            self.skin = self._number_slider("skin: furrows and shade", 0, 1, 1, 0.05)
            with ui.row().classes("w-full items-end"):
                self.fps = ui.number("frames per second", value=100, min=10, max=1000, step=10)
                self.fps.classes("w-36")
                self.fps.on_value_change(self._changed)
                self.fps.bind_visibility_from(self.way, "value", backward=lambda way: way != CLIP)
                self.size = ui.select([128, 256, 384, 512], value=256, label="size (pixels)")
                self.size.classes("w-28")
                self.size.on_value_change(self._changed)
                self.generator = ui.select(
                    [*self.studio.generators], value="warp", label="generator"
                )
                self.generator.classes("w-40")
                self.generator.on_value_change(self._changed)

    def _number_slider(
        self, name: str, low: float, high: float, value: float, step: float = 10
    ) -> Any:
        with ui.element("div").classes("au"):
            ui.label(name).classes("name")
            with ui.row().classes("no-wrap items-center w-full"):
                slider = layout.slider(name, low, high, step, value)
                slider.on_value_change(self._changed)
                shown = ui.label().classes("muted").style("min-width: 2.6rem")
                shown.bind_text_from(slider, "value", backward=lambda v: f"{v:g}")
        return slider

    def _picture_card(self) -> None:
        with ui.element("div").classes("card pinned"):
            with (
                ui.element("div")
                .classes("two")
                .style("grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 8px")
            ):
                with ui.column().classes("gap-1"):
                    self.neutral = layout.picture("rest")
                    self.beside = ui.label(AT_REST).classes("muted")
                with ui.column().classes("gap-1"):
                    self.moved = layout.picture("now")
                    self.moment = ui.label("apex").classes("muted").props('data-mark="moment"')
            with ui.row().classes("w-full items-center no-wrap q-mt-sm"):
                self.scrub = layout.slider("moment of the clip", 0, 1, 0.01, 0)
                self.scrub.on("update:model-value", self._move, throttle=0.05)
                ui.button("apex", on_click=self._to_apex).props("flat dense no-caps")
            with ui.row().classes("w-full items-center"):
                self.play = ui.button("Play", on_click=self._animate, icon="play_arrow")
                self.play.props("no-caps unelevated").props('data-mark="play"')
                self.slow = ui.switch("slow", value=True).props('data-mark="slow"')
                self.change = ui.switch("difference").props('data-mark="difference"')
                self.change.on_value_change(self._changed)
                save = ui.button("Save clip and plan", on_click=self._save, icon="download")
                save.props("no-caps flat").props('data-mark="save"')
            self.progress = ui.linear_progress(0, show_value=False).props("instant-feedback")
            self.progress.set_visibility(False)

    def _again_card(self) -> None:
        with ui.element("div").classes("card w-full"):
            ui.html("<h2>The same clip, from a terminal or a script</h2>", sanitize=False)
            self.where = ui.label().classes("muted")
            ui.label("Command").classes("text-bold q-mt-sm")
            self.command = ui.code("", language="bash").classes("code").props('data-mark="command"')
            ui.label("Python").classes("text-bold q-mt-sm")
            self.python = ui.code("", language="python").classes("code").props('data-mark="python"')

    # -- WHAT IS ASKED --------------------------------------------------------------------------

    def wish(self) -> Wish | None:
        """What the page asks for now; None where nothing moves yet."""
        generator = str(self.generator.value)
        skin = float(self.skin.value)
        common = Wish(
            identity=self.face_named,
            driver=units_text(self.sliders.peak),
            times=(float(self.rise.value), float(self.fall.value)),
            # the box only advises, and a clip has as many frames as this says
            fps=min(max(float(self.fps.value or 100), 10), 1000),
            generator=generator,
            skin=skin if generator == "warp" and skin != 1 else None,
            size=int(self.size.value),
        )
        if self.way.value == HAND:
            return common if common.driver else None
        if self.way.value == RULE:
            return replace(common, driver=str(self.rule.value), seed=int(self.seed.value or 0))
        if self.measured is None:
            return None
        peak = None if not self.strongest.value else float(self.strongest.value)
        return replace(common, driver=self.clip_named, times=None, fps=None, peak=peak)

    async def _first(self) -> None:
        """The page begins with a face."""
        names = [*self.studio.library.faces]
        own = [name for name in names if not name.endswith("(sample)")]
        self.faces.set_value([*own, *names][0])

    async def _pick_face(self, event: Any) -> None:
        if event.value is None:
            return
        path = self.studio.library.faces[event.value]
        await self.said.around(
            lambda: self._find(path.read_bytes(), path.name, str(path.absolute()))
        )

    async def _take_face(self, event: Any) -> None:
        found = await self.said.around(lambda: layout.taken(event, MAX_BYTES >> 20))
        self.upload.reset()
        if found:
            self.faces.set_value(None)
            await self.said.around(lambda: self._find(found[0], found[1], found[1]))

    async def _find(self, data: bytes, name: str, named: str) -> None:
        face = await self.studio.quick.do(self.studio.quick.find_face, data, name)
        still = Wish(identity=name, driver="aus:12=1", size=int(self.size.value))
        self.face, self.face_named = face, named
        self.own.set_text("" if self.faces.value else f"your picture: {name}")
        plan = await self.studio.quick.do(self.studio.quick.plan, still, face)
        first = await self.studio.quick.do(self.studio.quick.draw, still, face, plan, range(1))
        self.rest = address(jpeg(first[0]))
        layout.show(self.neutral, self.rest)
        layout.show(self.moved, self.rest)
        await self._follow()

    async def _pick(self, event: Any) -> None:
        if event.value is not None:
            path = self.studio.library.clips.get(event.value)
            named = SAMPLE if path is None else str(path.absolute())
            what = path or self.studio.sample_clip
            await self.said.around(lambda: self._measure(named, clip_of, what))

    async def _take_clip(self, event: Any) -> None:
        found = await self.said.around(lambda: layout.taken(event, layout.MOST_FILM_MB))
        event.sender.reset()
        if found:
            await self.said.around(lambda: self._measure(found[1], clip_of, *found))

    async def _measure(self, named: str, read: Any, *given: Any) -> None:
        ui.notify("Measuring the clip ...")
        slow = self.studio.slow
        driver: Driver = await slow.do(read, *given)
        self.measured, self.clip_named = await slow.do(slow.measure, driver), named
        await self._follow()

    # -- WHAT FOLLOWS ---------------------------------------------------------------------------

    async def _changed(self) -> None:
        await self._follow()

    async def _move(self, event: Any) -> None:
        self.at = float(event.args)
        await self._follow()

    async def _to_apex(self) -> None:
        self.at = None
        await self._follow()

    async def _follow(self) -> None:
        """Draw what is asked for now. While a picture is drawn others are not waited for: the
        last wish is the one that counts."""
        self._asked = True
        if self._busy:
            return
        self._busy = True
        try:
            while self._asked:
                self._asked = False
                await self.said.around(self._draw)
        finally:
            self._busy = False

    async def _draw(self) -> None:
        wish, face = self.wish(), self.face
        self._tell_again(wish)
        if wish is None or face is None:
            self.drawn = None
            self.moment.set_text("nothing moves yet")
            self.beside.set_text(AT_REST)
            if self.rest:
                layout.show(self.neutral, self.rest)
                layout.show(self.moved, self.rest)
            return
        quick, measured = self.studio.quick, self.measured if not wish.is_drawn else None
        plan, frame, picture = await quick.do(quick.draw_one, wish, face, self.at, measured)
        self.drawn = (wish, face, plan)
        layout.show(self.moved, address(jpeg(picture)))
        await self._compare(wish, face, plan, picture)
        onset, apex, offset = plan.key_frames
        named = {onset: "onset", apex: "apex", offset: "offset"}.get(frame, "")
        time = 1000 * frame / plan.fps
        self.moment.set_text(f"{named} {time:.0f} ms, frame {frame} of {len(plan.track)}".strip())
        if self.at is None:
            self.scrub.set_value(frame / max(len(plan.track) - 1, 1))

    async def _compare(self, wish: Wish, face: FoundFace, plan: Plan, picture: Picture) -> None:
        """Beside the picture: the face at rest, or what changed, amplified."""
        quick = self.studio.quick
        first = (await quick.do(quick.draw, wish, face, plan, range(1)))[0]
        self.beside.set_text(CHANGE if self.change.value else AT_REST)
        if self.change.value:
            gain = fitting_gain(picture[None], first)
            first = difference_picture(picture, first, gain=gain)
        layout.show(self.neutral, address(jpeg(first)))

    def _tell_again(self, wish: Wish | None) -> None:
        if wish is None or self.face is None:
            self.where.set_text("Once something moves, the command stands here.")
            self.command.set_content("")
            self.python.set_content("")
            return
        own = [n for n in (wish.identity, wish.driver) if not n.startswith(("/", "aus:", "rule:"))]
        own = [n for n in own if not n.startswith("stats:")]
        told = f"Run it in the folder that holds {' and '.join(own)}. " if own else ""
        if wish.driver == SAMPLE:
            told += f"famaug samples writes the sample {SAMPLE}."
        self.where.set_text(told)
        self.command.set_content(command_line(wish))
        self.python.set_content(python_text(wish))

    async def _frames(self) -> tuple[Plan, Frames]:
        if self.drawn is None:
            raise InputError("there is no clip yet: choose a face and move a slider")
        wish, face, plan = self.drawn
        self.progress.set_visibility(True)
        try:
            frames = await self.studio.quick.draw_all(wish, face, plan, self.progress.set_value)
        finally:
            self.progress.set_visibility(False)
        return plan, frames

    async def _animate(self) -> None:
        async def work() -> None:
            plan, frames = await self._frames()
            slow = bool(self.slow.value)
            data = await self.studio.slow.do(webp, frames, plan.fps, slow=slow)
            layout.show(self.moved, address(data, "image/webp"))
            self.moment.set_text(f"playing, {'slow' if slow else 'at its real speed'}")

        await self.said.around(work)

    async def _save(self) -> None:
        async def work() -> None:
            plan, frames = await self._frames()
            ui.download(await self.studio.slow.do(packed_clip, frames, plan), "clip.zip")

        await self.said.around(work)
