import asyncio

import pytest
from isekai_http.watch import Expired, Watch


async def watched(body, **limits):
    watch = Watch(**{"silence": 60.0, "deadline": 60.0} | limits)
    try:
        with watch.over() as request:
            return await body(request)
    finally:
        watch.stop()


async def never(_request):
    await asyncio.Event().wait()


def test_what_goes_well_is_left_alone():
    async def answer(request):
        await asyncio.sleep(0)
        request.heard()
        return "here"

    assert asyncio.run(watched(answer)) == "here"


def test_silence_is_stopped():
    with pytest.raises(Expired) as caught:
        asyncio.run(watched(never, silence=0.1))
    assert caught.value.limit == "silence"


def test_what_takes_too_long_in_all_is_stopped():
    with pytest.raises(Expired) as caught:
        asyncio.run(watched(never, deadline=0.1))
    assert caught.value.limit == "deadline"


def test_the_task_goes_on_after_it_was_stopped():
    async def go_on() -> tuple[int, str]:
        with pytest.raises(Expired):
            await watched(never, silence=0.05)
        await asyncio.sleep(0)
        return asyncio.current_task().cancelling(), "went on"

    assert asyncio.run(go_on()) == (0, "went on")


def test_a_cancellation_from_outside_is_not_taken_for_a_limit():
    async def cancelled() -> bool:
        task = asyncio.create_task(watched(never))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(cancelled())


def test_a_cancellation_from_outside_goes_before_a_limit():
    async def both() -> bool:
        async def cancel_too(_request):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asyncio.current_task().cancel()
                raise

        task = asyncio.create_task(watched(cancel_too, silence=0.05))
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert asyncio.run(both())
