"""What Kamailio does with a request, by KEMI (app_python3). Where a call goes is asked of a placement.

`CALLSTEER_PLACEMENT` in the environment says which: `control-plane` (the default) or `by-hash`.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

import KSR
from by_hash import ByHash
from control_plane import ControlPlane
from placement import Refused

PLACEMENTS = {"control-plane": ControlPlane, "by-hash": ByHash}


def mod_init():
    """Called once, before the worker processes are forked."""
    return Proxy()


class Proxy:
    """The routes; Kamailio calls those whose names begin with `ksr_`."""

    def child_init(self, rank):
        """Called in every process: each has a placement of its own."""
        name = os.environ.get("CALLSTEER_PLACEMENT", "control-plane")
        self.placement = PLACEMENTS[name]()
        return 0

    def ksr_request_route(self, msg):
        """Every request from outside."""
        if KSR.maxfwd.process_maxfwd(10) < 0:
            KSR.sl.sl_send_reply(483, "Too Many Hops")
            return 1
        if KSR.sanity.sanity_check(17895, 7) < 0:
            return 1
        if KSR.is_CANCEL():
            if KSR.tm.t_check_trans() > 0:
                KSR.tm.t_relay()
            return 1
        if not KSR.is_ACK() and KSR.tmx.t_precheck_trans() > 0:  # a retransmission
            KSR.tm.t_check_trans()
            return 1
        if KSR.tm.t_check_trans() == 0:
            return 1
        if KSR.siputils.has_totag() > 0:
            return self.within_dialog()
        if KSR.is_ACK():
            return 1
        if KSR.is_OPTIONS():
            KSR.sl.sl_send_reply(200, "OK")
            return 1
        if not KSR.is_INVITE():
            KSR.sl.sl_send_reply(405, "Method Not Allowed")
            return 1
        return self.new_call()

    def within_dialog(self):
        """ACK, BYE, re-INVITE: the route is known, and a BYE ends the call."""
        if KSR.rr.loose_route() < 0:
            if KSR.is_ACK():
                if KSR.tm.t_check_trans() > 0:
                    KSR.tm.t_relay()
                return 1
            KSR.sl.sl_send_reply(404, "Not here")
            return 1
        if KSR.is_BYE():
            self.placement.ended(call_id())
        KSR.tm.t_relay()
        return 1

    def new_call(self):
        """An INVITE is placed; a refused one is told why."""
        KSR.rr.record_route()
        try:
            uri = self.placement.place(call_id())
        except Refused as refused:
            return refuse(refused)
        return self.send(uri)

    def send(self, uri):
        """To a bridge. A call that cannot even be sent is tried elsewhere."""
        while uri:
            KSR.pv.sets("$du", uri)
            KSR.tm.t_on_reply("ksr_reply")
            KSR.tm.t_on_failure("ksr_failure")
            if KSR.tm.t_relay() > 0:
                return 1
            uri = self.placement.failed(call_id(), "unreachable", None)
        self.placement.ended(call_id())
        KSR.tm.t_send_reply(503, "Service Unavailable")
        return 1

    def ksr_reply_route(self, msg):
        """Every reply. app_python3 asks for it, and for the next, whether there is one or not."""
        return 1

    def ksr_onsend_route(self, msg):
        """Every message that leaves."""
        return 1

    def ksr_reply(self, msg):
        """A reply of a bridge to an INVITE."""
        if KSR.is_INVITE() and 200 <= (KSR.pv.get("$rs") or 0) < 300:
            self.placement.confirmed(call_id())
        return 1

    def ksr_failure(self, msg):
        """All that a bridge said was no, or nothing."""
        if KSR.tm.t_is_canceled() > 0:
            self.placement.ended(call_id())
            return 1
        silent = KSR.tm.t_branch_timeout() > 0
        reply = "timeout" if silent else KSR.tm.t_get_status_code()
        retry_after = None if silent else KSR.pv.get("$T_rpl($hdr(Retry-After))")
        uri = self.placement.failed(call_id(), reply, seconds(retry_after))
        if uri:
            return self.send(uri)
        self.placement.ended(call_id())  # and the bridge's reply goes to the caller
        return 1


def call_id():
    """The Call-ID of the message at hand."""
    return KSR.pv.get("$ci")


def refuse(refused):
    """Tells the caller when to try again."""
    if refused.retry_after is not None:
        KSR.hdr.append_to_reply(f"Retry-After: {refused.retry_after}\r\n")
    KSR.sl.sl_send_reply(refused.status, refused.reason)
    return 1


def seconds(header):
    """Retry-After without its comment and parameters; None where it has no number."""
    digits = (header or "").split(";")[0].split("(")[0].strip()
    return int(digits) if digits.isdigit() else None
