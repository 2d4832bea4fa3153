import random, time, threading, os
from django.db import connection, transaction
import django_ivm
from django_ivm.engine import online, builds
from django_ivm.engine.attempts import Patience
from django_ivm.engine.spec import ViewSpec
from tests.engine.area import Area
from .traffic import *
LEVELS = "SELECT n, count(*) AS groups FROM (SELECT pid, count(*) AS n FROM child GROUP BY pid) q GROUP BY n"
QS=[JOIN,SUMS,ROWS,LEVELS,"SELECT grp, count(*) AS n FROM parent p WHERE EXISTS (SELECT 1 FROM child c WHERE c.pid=p.id AND c.v>3) GROUP BY grp","SELECT p.grp, c.v FROM parent p LEFT JOIN child c ON c.pid=p.id"]
class Boom(BaseException): pass
def test_soak(area: Area) -> None:
    area.run(TABLES)
    seed=int(os.environ.get("SEED","1")); rng=random.Random(seed)
    stop=threading.Event(); states={}
    def writer(i):
        r=random.Random(seed*100+i); s=area.connect()
        while not stop.is_set():
            lvl=r.choice(["READ COMMITTED","REPEATABLE READ","SERIALIZABLE"])
            try:
                with s.transaction():
                    s.execute(f"SET TRANSACTION ISOLATION LEVEL {lvl}")
                    for _ in range(r.randint(1,3)):
                        s.execute(r.choice([
                          f"INSERT INTO child (pid, v) VALUES ({r.randint(1, 9)}, {r.randint(0, 9)})",
                          f"UPDATE child SET v = {r.randint(0, 9)}, pid={r.randint(1,9)} WHERE id % 20 = {r.randrange(20)}",
                          f"DELETE FROM child WHERE id % 50 = {r.randrange(50)}",
                          f"UPDATE parent SET grp = 'g{r.randrange(4)}' WHERE id = {r.randint(1, 8)}",
                          "SELECT count(*) FROM child"]))
                        if r.random()<.05: time.sleep(r.random()*.3)
                        if r.random()<.02: s.execute("TRUNCATE child")
                states[None]=states.get(None,0)+1
            except Exception as e:
                k=getattr(e,"sqlstate",None) or str(e)[:80]; states[k]=states.get(k,0)+1
                if k not in("40001","40P01"): print("W",k,e)
    th=[threading.Thread(target=writer,args=(i,)) for i in range(3)]
    [t.start() for t in th]
    end=time.monotonic()+float(os.environ.get("SECS","60")); n=k=0
    try:
        while time.monotonic()<end:
            q,mode=rng.choice(QS),rng.choice(["immediate","commit","deferred"])
            area.queries["v1"]=q
            spec=ViewSpec(name="v1",sql=q,mode=mode,schema=area.schema)
            left=rng.choice([0,0,rng.randint(1,20)])
            cnt=[0]
            def tell(t):
                cnt[0]+=1
                if cnt[0]==left: raise Boom(t)
            try:
                online.install_online(spec,connection,progress=tell,patience=Patience(limit=60))
            except Boom: k+=1; area.enter(); continue
            n+=1
            v=django_ivm.get_view("v1")
            for _ in range(3):
                if mode!="deferred":
                    area.check(); continue
                while True:
                    try:
                        with transaction.atomic():
                            area.run("SET LOCAL lock_timeout='300ms'")
                            area.run("LOCK TABLE child, parent IN SHARE MODE")
                            v.refresh(); area.check()
                        break
                    except Exception as e:
                        if "lock" not in str(e): raise
            if rng.random()<.3: django_ivm.drop_view("v1")
    finally:
        stop.set(); [t.join(30) for t in th]
        print("installed",n,"killed",k,states)
    if area.run("SELECT 1 FROM django_ivm.view WHERE view_name='v1'"):
        django_ivm.get_view("v1").refresh(); area.check()
