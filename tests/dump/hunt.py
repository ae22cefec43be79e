# SPDX-License-Identifier: Apache-2.0
# Written by somebody who attacked delivered copies, and kept as it came: it shares no thought with what finds and erases keys.
"""independent slow search for pieces (>=16 bytes, >=20 digits) of secrets of one key in a file. usage: hunt.py key.pem file [--q]"""
import sys, numpy as np, base64, hashlib, mmap, json
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa, ec, ed25519, x25519
ORD={'secp256r1':0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,'secp384r1':0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973}
def up(x,m): return (x+m-1)//m*m
def values(key):
    pub=[]; v={}
    if isinstance(key,rsa.RSAPrivateKey):
        P=key.private_numbers(); p,q,d,n,e=P.p,P.q,P.d,P.public_numbers.n,P.public_numbers.e
        import math
        phi=(p-1)*(q-1); lam=phi//math.gcd(p-1,q-1)
        v.update({'p':p,'q':q,'d':d,'d_phi':pow(e,-1,phi),'d_lam':pow(e,-1,lam),'dp':d%(p-1),'dq':d%(q-1),'qinv':pow(q,-1,p),'pinv':pow(p,-1,q),'phi':phi,'lam':lam,'p+q':p+q,'p-q':abs(p-q),'p-1':p-1,'q-1':q-1})
        for nm,m,o in (('p',p,q),('q',q,p)):
            for w in (64,52,32,128,28,29,26):
                k=up(m.bit_length(),w); R=1<<k
                if w in(32,128) and k==up(m.bit_length(),64): 
                    continue
                v[f'R{w} mod {nm}']=R%m; v[f'R{w}^2 mod {nm}']=R*R%m; v[f'R{w}^3 mod {nm}']=R*R*R%m; v[f'inv*R{w} mod {nm}']=pow(o,-1,m)*R%m; v[f'inv*R{w}^2 mod {nm}']=pow(o,-1,m)*R*R%m; v[f'other*R{w} mod {nm}']=o*R%m
                v[f'-1/{nm} mod R{w}']=(-pow(m,-1,R))%R; v[f'1/{nm} mod R{w}']=pow(m,-1,R)
            # R for the modulus of N size
            R=1<<up(n.bit_length(),64); v[f'Rn^2 mod {nm}']=R*R%m; v[f'Rn mod {nm}']=R%m
            # Barrett
            v[f'barrett64 {nm}']=(1<<(2*up(m.bit_length(),64)))//m; v[f'barrett {nm}']=(1<<(2*m.bit_length()))//m
        nb=(n.bit_length()+7)//8; pub=[n.to_bytes(nb,'big'),n.to_bytes(nb,'little')]
        R=1<<up(n.bit_length(),64); pub+=[(R*R%n).to_bytes(nb,'little'),(R%n).to_bytes(nb,'little')]
        sizes={k:(x.bit_length()+7)//8 for k,x in v.items()}
    elif isinstance(key,ec.EllipticCurvePrivateKey):
        d=key.private_numbers().private_value; o=ORD[key.curve.name]; L=(key.curve.key_size+7)//8; R=1<<(L*8)
        v={'d':d,'n-d':o-d,'1/d':pow(d,-1,o),'d*R':d*R%o,'d*R^2':d*R*R%o,'1/d*R':pow(d,-1,o)*R%o}; sizes={k:L for k in v}
        pn=key.public_key().public_numbers(); pub=[pn.x.to_bytes(L,'big'),pn.y.to_bytes(L,'big')]
    else:
        raw=key.private_bytes(serialization.Encoding.Raw,serialization.PrivateFormat.Raw,serialization.NoEncryption()); h=hashlib.sha512(raw).digest()
        sc=bytearray(h[:32]); sc[0]&=248; sc[31]=sc[31]&127|64
        v={'seed':int.from_bytes(raw,'big'),'hash0':int.from_bytes(h[:32],'big'),'prefix':int.from_bytes(h[32:],'big'),'scalar':int.from_bytes(bytes(sc),'big')}; sizes={k:32 for k in v}
        L_=2**252+27742317777372353535851937790883648493
        s_=int.from_bytes(bytes(sc),'little')%L_; v['scalar mod L']=int.from_bytes(s_.to_bytes(32,'little'),'big'); sizes['scalar mod L']=32
        pub=[key.public_key().public_bytes(serialization.Encoding.Raw,serialization.PublicFormat.Raw)]
    return v,sizes,pub
def cells(x,n,bits,by):
    return b''.join(((x>>i)&((1<<bits)-1)).to_bytes(by,'little') for i in range(0,8*n,bits))
def reps(v,sizes):
    for nm,x in v.items():
        n=sizes[nm]; be=x.to_bytes(n,'big'); le=x.to_bytes(n,'little')
        yield nm,'le',le,16; yield nm,'be',be,16
        n4=up(n,4); b4=x.to_bytes(n4,'big'); yield nm,'j32',b''.join(b4[i:i+4][::-1] for i in range(0,n4,4)),16
        n8=up(n,8); b8=x.to_bytes(n8,'big'); yield nm,'w64be-of-le',b''.join(b8[i:i+8][::-1] for i in range(0,n8,8)),16
        for bits,by in ((63,8),(62,8),(60,8),(56,8),(52,8),(51,8),(44,8),(48,8),(32,8),(30,4),(31,4),(29,4),(28,4),(26,4),(24,4),(16,4),(15,2)):
            yield nm,f'cells{bits}/{by}',cells(x,n,bits,by),16 if by>2 else 16
        if nm in('p','q','d','d_phi','dp','dq','qinv','seed','scalar','hash0','d_lam'):
            for src,s in (('be',be),('be0',b'\0'+be),('le',le)):
                hx=s.hex().encode()
                for t,lab in ((hx,'hex'),(hx.upper(),'HEX'),(b':'.join(hx[i:i+2] for i in range(0,len(hx),2)),'hex:'),(str(x).encode(),'dec')):
                    if lab=='dec' and src!='be': continue
                    yield nm,lab+'-'+src,t,20
                    yield nm,lab+'-'+src+'-u16',t.decode().encode('utf-16le'),40
                for ph in range(3):
                    t=base64.b64encode(b'\0'*ph+s)
                    t=t[2 if ph==1 else 3 if ph==2 else 0:].rstrip(b'=')[:-1]
                    yield nm,f'b64-{src}-{ph}',t,20; yield nm,f'b64url-{src}-{ph}',t.replace(b'+',b'-').replace(b'/',b'_'),20; yield nm,f'b64-{src}-{ph}-u16',t.decode().encode('utf-16le'),40
def load(path):
    data=open(path,'rb').read()
    if b'OPENSSH' in data: return serialization.load_ssh_private_key(data,None)
    return serialization.load_pem_private_key(data,None)
class Hunt:
    def __init__(s,key):
        v,sizes,pub=values(key); s.win={}; s.len={}
        pubw=set()
        for b in pub:
            for i in range(len(b)-15): pubw.add(b[i:i+16])
        for nm,lay,b,w in reps(v,sizes):
            s.len[(nm,lay)]=len(b)
            for i in range(len(b)-w+1):
                x=b[i:i+16]
                if x in pubw or len(set(x))<(7 if w==16 else 4): continue
                s.win.setdefault(x,[]).append((nm,lay,i,b[i:i+w],w))
        firsts=np.array(sorted({int.from_bytes(x[:8],'little') for x in s.win}),dtype='<u8'); s.f=firsts
        s.tbl=np.zeros(1<<24,dtype=bool); s.tbl[(firsts>>np.uint64(20))&np.uint64(0xffffff)]=True
    def scan(s,path):
        import os
        size=os.path.getsize(path); hits={}
        with open(path,'rb') as f:
            pos=0; C=4<<20
            while pos<size:
                f.seek(pos); buf=f.read(C+64)
                if not np.frombuffer(buf,dtype='u1').any(): pos+=C; continue
                for sh in range(8):
                    n=(len(buf)-sh)//8
                    if n<=0: continue
                    a=np.frombuffer(buf,dtype='<u8',count=n,offset=sh)
                    c=np.nonzero(s.tbl[(a>>np.uint64(20))&np.uint64(0xffffff)])[0]
                    if len(c)==0: continue
                    vals=a[c]; ix=np.searchsorted(s.f,vals); ix[ix==len(s.f)]=0; c=c[s.f[ix]==vals]
                    for k in c:
                        o=int(k)*8+sh
                        for nm,lay,i,full,w in s.win.get(buf[o:o+16],()):
                            if buf[o:o+w]==full and (o<C or pos+C>=size): hits.setdefault((nm,lay),{})[pos+o]=(i,w)
                pos+=C
        # merge into runs
        runs=[]
        for (nm,lay),h in hits.items():
            cur=None
            for o in sorted(h):
                i,w=h[o]
                if cur and o-cur[0]==i-cur[1] and o<=cur[2]: cur[2]=max(cur[2],o+w)
                else:
                    if cur: runs.append((nm,lay,cur[0],cur[1],cur[2]-cur[0]))
                    cur=[o,i,o+w]
            if cur: runs.append((nm,lay,cur[0],cur[1],cur[2]-cur[0]))
        # drop runs contained in a longer one (same place, e.g. p and p-1, d_phi and d)
        runs.sort(key=lambda r:(-r[4],r[0],r[1])); keep=[]
        for r in runs:
            if any(k[2]<=r[2] and r[2]+r[4]<=k[2]+k[4] for k in keep): continue
            keep.append(r)
        keep.sort(key=lambda r:r[2]); return keep,s.len
if __name__=='__main__':
    H=Hunt(load(sys.argv[1])); runs,ln=H.scan(sys.argv[2])
    for nm,lay,o,i,n in runs:
        full=n>=ln[(nm,lay)]-2
        print(f'{o:#x} {nm:16} {lay:14} {n}/{ln[(nm,lay)]} from {i}{"" if full else "  PARTIAL"}')
    print('total',len(runs))
